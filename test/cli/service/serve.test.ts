import assert from 'node:assert/strict';
import processes, { type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { UsageError } from '../../../cli/errors.ts';
import { PROGRAMS } from '../../../cli/service/programs.ts';
import { serve } from '../../../cli/service/serve.ts';
import { applyMocks } from '../../support/mocked-builtins.ts';

test('a port is a whole number up to 65535, and the page cannot be opened at a free port', async () => {
  for (const port of ['65536', '1.5', '-1', '']) {
    await assert.rejects(serve.run([`--port=${port}`]), {
      constructor: UsageError,
      message: `--port must be a whole number from 0 to 65535, but is "${port}".`,
    });
  }
  await assert.rejects(serve.run(['--open', '--port', '0']), {
    constructor: UsageError,
    message: 'With --open, the port must not be 0.',
  });
});

test('the help of serve lists its options', async (t) => {
  const { mock } = t.mock.method(console, 'log', () => {});
  assert.equal(await serve.run(['--help']), 0);
  const [text] = mock.calls.map(({ arguments: [line] }) => String(line));
  assert.match(text!, /^Start a service .*\n\nUsage: npx atelier serve \[options\]\n/);
  assert.match(text!, /--port 3000 .*\n.*--state FOLDER .*\n.*--open .*\n.*-h, --help /);
});

test('every program has a summary, and serve is the first one', () => {
  const names = Object.keys(PROGRAMS);
  assert.deepEqual(names, ['serve', 'data', 'key', 'backup', 'restore', 'migrate', 'migrate-state']);
  for (const [name, { summary }] of Object.entries(PROGRAMS)) assert.match(summary, /^[A-Z].*[^.]$/, name);
});

const ROOT = join(import.meta.dirname, '../../..');
type Environment = Readonly<Record<string, string>>;

/** Notes what replaces the process, instead of replacing it. */
function mockReplacement(t: TestContext) {
  const replaced: { args: string[]; environment: Environment }[] = [];
  const replace = (path: string, args: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) => {
    assert.deepEqual([path, args[0]], [process.execPath, process.execPath]);
    replaced.push({ args: args.slice(1), environment: environment as Environment });
    return undefined as never;
  };
  t.mock.method(process as { execve: typeof replace }, 'execve', replace);
  return replaced;
}

test('every other program runs its script with the arguments and the variables of a service', async (t) => {
  const replaced = mockReplacement(t);
  for (const [name, { run }] of Object.entries(PROGRAMS).slice(1)) {
    await run(['one', '--two']);
    const { args, environment } = replaced.at(-1)!;
    const [path, ...rest] = args;
    assert.ok(path!.endsWith(`/${name}.ts`) && existsSync(path!), path);
    assert.deepEqual(rest, ['one', '--two']);
    assert.equal(environment['MALLOC_MMAP_THRESHOLD_'], process.env['MALLOC_MMAP_THRESHOLD_'] ?? '131072');
  }
  assert.deepEqual(
    Object.entries(PROGRAMS).flatMap(([name, { parameters }]) =>
      parameters.length > 0 ? [name, ...parameters] : [],
    ),
    ['key', '[name scope…]', 'backup', 'directory', 'restore', 'directory', 'migrate-state', '--to database'],
  );
});

/** Runs serve with a download that ends in the given way, and notes the processes that it starts. */
async function runServe(
  t: TestContext,
  args: string[],
  end: [number, null] | [null, NodeJS.Signals] = [0, null],
) {
  const replaced = mockReplacement(t);
  const child = Object.assign(new EventEmitter(), { kill: t.mock.fn() });
  const spawn = t.mock.method(processes, 'spawn', () => {
    setImmediate(() => {
      for (const { arguments: listened } of on.mock.calls) {
        const [signal, listener] = listened as unknown as [string, () => void];
        if (signal === 'SIGINT' || signal === 'SIGTERM') listener();
      }
      child.emit('close', ...end);
    });
    return child as unknown as ChildProcess;
  });
  const spawnSync = t.mock.method(processes, 'spawnSync', () => {});
  const on = t.mock.method(process, 'on', () => process);
  applyMocks(t);
  const code = await serve.run(args);
  const [call] = spawn.mock.calls.map(
    (each) => each.arguments as unknown as [string, string[], { env: Environment }],
  );
  const opened = spawnSync.mock.calls.map((each) => each.arguments as unknown as [string, string[], object]);
  const killed = child.kill.mock.calls.map((each) => each.arguments);
  t.mock.restoreAll();
  return { code, replaced, download: call!, opened, killed };
}

test('serve downloads the data first, and passes the signals on until the service replaces it', async (t) => {
  const { replaced, download, opened, killed } = await runServe(t, ['--port', '65535', '--state', 'mine']);
  const [program, args, { env }] = download;
  assert.deepEqual([program, args], [process.execPath, [join(ROOT, 'scripts/data.ts')]]);
  assert.deepEqual(
    [env['npm_lifecycle_event'], env['PORT'], env['STATE_DIR']],
    ['prestart', '65535', 'mine'],
  );
  assert.deepEqual(killed, [['SIGINT'], ['SIGTERM']]);
  const [{ args: served, environment } = assert.fail()] = replaced;
  assert.deepEqual(served, ['--max-semi-space-size=8', '--v8-pool-size=0', join(ROOT, 'src/main.ts')]);
  assert.deepEqual([environment['PORT'], environment['STATE_DIR']], ['65535', 'mine']);
  assert.deepEqual(opened, []);
});

test('serve ends with the exit code of a download that fails, or as its signal ends a process', async (t) => {
  for (const [end, code] of [
    [[3, null], 3],
    [[null, 'SIGTERM'], 128 + 15],
    [[null, 'SIGINT'], 128 + 2],
  ] as const) {
    const ended = await runServe(t, ['--port', '0'], [...end]);
    assert.deepEqual([ended.code, ended.replaced.length], [code, 0]);
  }
});

test('serve opens the page of the address and the port that the service listens on', async (t) => {
  const before = { HOST: process.env['HOST'], PORT: process.env['PORT'] };
  const set = (values: Readonly<Record<string, string | undefined>>) => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
  t.after(() => set(before));
  for (const [HOST, PORT, url] of [
    [undefined, undefined, 'http://localhost:3000/'],
    ['0.0.0.0', '81', 'http://localhost:81/'],
    ['::', '81', 'http://localhost:81/'],
    ['::1', '81', 'http://[::1]:81/'],
    ['example.org', undefined, 'http://example.org:3000/'],
  ] as const) {
    set({ HOST, PORT });
    const { opened } = await runServe(t, ['--open']);
    const [[shell, [flag, script, node, page, ...args], options] = assert.fail()] = opened;
    assert.deepEqual([shell, flag, script, node], ['sh', '-c', '"$0" "$@" &', process.execPath]);
    assert.deepEqual([page, ...args], [join(ROOT, 'cli/service/open-page.ts'), url, String(process.pid)]);
    assert.deepEqual(options, { stdio: 'inherit' });
  }
});
