import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import threads from 'node:worker_threads';
import type { Log } from '../../src/process/log.ts';
import { installSignalHandlers, registerShutdown } from '../../src/process/stop.ts';
import { mockWaits } from '../support/mocked-builtins.ts';
import { INHERITED } from '../support/start-process.ts';

const CHILD = join(import.meta.dirname, 'children/stopping.ts');

/** Starts the process and sends it the signals. Returns how it ended, and its log lines. */
async function stop(args: readonly string[], ...signals: NodeJS.Signals[]) {
  const stdio = ['ignore', 'pipe', 'inherit', 'ipc'] as const;
  const child = fork(CHILD, args, { env: INHERITED, execArgv: [], stdio: [...stdio] });
  const [output, exited] = [text(child.stdout!), once(child, 'exit')];
  await once(child, 'message');
  child.send(signals);
  // The log has no query strings, because they may contain keys.
  assert.doesNotMatch(await output, /secret/);
  const log = Array.from((await output).matchAll(/"msg":"(.*?)"/g), ([, message]) => message);
  return { end: await exited, log };
}

test('stops in order on a signal, whether it arrives once or twice at the same moment', async () => {
  const stopped = { end: [0, null], log: ['stopping', 'stopped'] };
  assert.deepEqual(await stop(['60', 'in order'], 'SIGTERM', 'SIGTERM'), stopped);
  assert.deepEqual(await stop(['60', 'in order'], 'SIGHUP'), stopped);
});

test('SIGHUP does not stop a service that reads its keys from a file', async () => {
  assert.deepEqual(await stop(['60', 'in order', 'read'], 'SIGHUP', 'SIGINT'), {
    end: [0, null],
    log: ['read', 'stopping', 'stopped'],
  });
});

test('exits with code 1 if it cannot close, or not in time', async () => {
  assert.deepEqual(await stop(['60', 'fails'], 'SIGQUIT'), {
    end: [1, null],
    log: ['stopping', 'unclean shutdown'],
  });
  assert.deepEqual(await stop(['1', 'hangs'], 'SIGTERM'), {
    end: [1, null],
    log: ['stopping', 'not stopped within SHUTDOWN_GRACE_SECONDS=1'],
  });
});

test('exits with code 1 after an exception that nothing catches', async () => {
  assert.deepEqual(await stop(['60', 'in order', 'fails'], 'SIGHUP'), {
    end: [1, null],
    log: ['uncaught exception, stopping', 'stopped'],
  });
});

test('is killed when the grace period ends while its main thread is blocked', async () => {
  const { end } = await stop(['1', 'blocks'], 'SIGTERM');
  assert.deepEqual(end, [null, 'SIGKILL']);
});

type Handle = Parameters<Parameters<typeof registerShutdown>[0]['onSignal']>[0];
type Listener = (argument: unknown) => void;

/** Records instead of what the process would do: the listeners that it has, and the codes that it exits with. */
function mockProcess(t: TestContext) {
  const listeners = new Map<string | symbol, Listener>();
  const codes: unknown[] = [];
  t.mock.method(process, 'on', (event: string | symbol, listener: Listener) => {
    listeners.set(event, listener);
    return process;
  });
  t.mock.method(process, 'exit', (code: unknown) => void codes.push(code));
  return { listeners, codes };
}

test('until the start has arranged more, a signal ends the process with code 0', (t) => {
  const { listeners, codes } = mockProcess(t);
  const onSignal = installSignalHandlers();
  assert.deepEqual([...listeners.keys()].sort(), ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM']);
  listeners.get('SIGINT')!('SIGINT');
  assert.deepEqual(codes, [0]);
  const handled: string[] = [];
  onSignal((signal) => void handled.push(signal));
  for (const [signal, listener] of listeners) listener(signal);
  assert.deepEqual([handled.sort(), codes], [[...listeners.keys()].sort(), [0]]);
});

/** Arranges a shutdown that takes until `finish` is called, at times that the test sets. */
function arrange(t: TestContext, graceSeconds: number) {
  const { listeners, codes } = mockProcess(t);
  const watchdogs: string[] = [];
  class Watchdog {
    constructor(code: string) {
      watchdogs.push(code);
    }
    unref(): void {}
  }
  t.mock.property(threads, 'Worker', Watchdog as unknown as typeof threads.Worker);
  mockWaits(t);
  const clock = { now: 1000 };
  t.mock.method(performance, 'now', () => clock.now);
  const lines: string[] = [];
  const line = (level: string) => (first: string | object, message?: string) =>
    void lines.push(`${level} ${message ?? first}`);
  const levels = Object.fromEntries(['info', 'warn', 'error', 'fatal'].map((level) => [level, line(level)]));
  let signal!: Handle;
  const { promise, resolve } = Promise.withResolvers<void>();
  registerShutdown({
    onSignal: (handle) => {
      signal = handle;
    },
    graceSeconds,
    log: { log: levels, writeLine: () => {}, flush: async () => {} } as unknown as Log,
    onHangup: null,
    close: () => promise,
  });
  /** Lets the promises that are settled go on. */
  const settle = () => new Promise<void>((done) => setImmediate(done));
  const fail = () => listeners.get('uncaughtException')!(new Error('a defect'));
  return { signal, fail, clock, lines, codes, watchdogs, finish: resolve, settle };
}

test('a second signal ends the process at once, but not if it arrives within 200 ms', async (t) => {
  const { signal, clock, lines, codes, settle } = arrange(t, 60);
  signal('SIGINT');
  clock.now += 200;
  signal('SIGINT');
  await settle();
  assert.deepEqual([lines, codes], [['info stopping'], []]);
  clock.now += 1;
  signal('SIGTERM');
  await settle();
  assert.deepEqual(lines, ['info stopping', 'warn second signal received, exiting immediately']);
  assert.deepEqual(codes, [1]);
});

test('half a second of the grace period is left for the exit', async (t) => {
  const { signal, lines, codes, watchdogs, settle } = arrange(t, 10);
  signal('SIGHUP');
  assert.equal(watchdogs.length, 1);
  assert.match(watchdogs[0]!, /'SIGKILL'\), 10000\)$/);
  t.mock.timers.tick(9499);
  await settle();
  assert.deepEqual(codes, []);
  t.mock.timers.tick(1);
  await settle();
  assert.deepEqual(lines, ['info stopping', 'error not stopped within SHUTDOWN_GRACE_SECONDS=10']);
  assert.deepEqual(codes, [1]);
});

test('exceptions that nothing catches stop the service once', async (t) => {
  const { fail, lines, codes, watchdogs, finish, settle } = arrange(t, 60);
  fail();
  fail();
  finish();
  await settle();
  assert.deepEqual(lines, [
    'fatal uncaught exception, stopping',
    'fatal uncaught exception while stopping',
    'info stopped',
  ]);
  assert.deepEqual([codes, watchdogs.length], [[1], 1]);
});
