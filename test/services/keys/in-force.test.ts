import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MAX_API_KEYS, parseApiKeys } from '../../../src/domain/api-key.ts';
import type { AtelierError } from '../../../src/errors.ts';
import { MAX_API_KEYS_FILE_BYTES } from '../../../src/services/keys/file.ts';
import {
  API_KEYS_POLL_MS,
  createApiKeyService,
  EXPIRY_WARNING_DAYS,
} from '../../../src/services/keys/in-force.ts';

const hash = (n: number) => n.toString(16).padStart(64, '0');
const entry = (name: string, n: number, scope = 'train') => `${name}:${scope}:${hash(n)}`;

interface Line {
  readonly level: 'info' | 'warn' | 'error';
  readonly details: object;
  readonly message: string;
}

/** Resolves `next` when the service logs its next line. */
function recordLog() {
  const lines: Line[] = [];
  let notify = () => {};
  const write = (level: Line['level']) => (details: object, message: string) => {
    lines.push({ level, details, message });
    notify();
  };
  return {
    lines,
    next: () => new Promise<void>((resolve) => (notify = resolve)),
    log: { info: write('info'), warn: write('warn'), error: write('error') },
  };
}

async function startWithFile(t: TestContext, text: string, configured = '') {
  const directory = await mkdtemp(join(tmpdir(), 'atelier-keys-'));
  t.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'keys');
  await writeFile(file, text);
  const { log, lines, next } = recordLog();
  const options = { configured: configured === '' ? [] : parseApiKeys(configured), file, log };
  const service = await createApiKeyService(options);
  t.after(() => service.close());
  const names = () => Array.from(service.keys(), ({ key }) => key.name);
  return { directory, file, service, names, lines, next };
}

test('keys of the file and keys of API_KEYS are in force together', async (t) => {
  const { names, lines } = await startWithFile(t, `# team\n${entry('b', 2)}\n`, entry('a', 1));
  assert.deepEqual([names(), lines], [['a', 'b'], []]);
});

test('an error in the file at start names the file and the line, but not the hash', async (t) => {
  const cases: [text: string, message: RegExp][] = [
    [`\n${entry('b', 2, 'boss')}`, /^API_KEYS_FILE=\S+keys is invalid: line 2 has an unknown scope; use /],
    [`${entry('a', 2)}`, /line 1 has the same name as an earlier key\.$/],
    [
      Array.from({ length: MAX_API_KEYS }, (_, n) => entry(`b${n}`, n + 9)).join('\n'),
      /line 1000 is too many/,
    ],
    ['#'.repeat(MAX_API_KEYS_FILE_BYTES + 1), /cannot be read: it has 1048577 bytes/],
  ];
  for (const [text, message] of cases) {
    await assert.rejects(startWithFile(t, text, entry('a', 1)), (error: AtelierError) => {
      assert.equal(error.code, 'invalid-configuration');
      assert.match(error.message, message);
      return !error.message.includes(hash(2));
    });
  }
  await assert.rejects(startWithFile(t, '# none yet\n'), /contains no key\. Add an entry/);
  const { log } = recordLog();
  for (const [file, reason] of [
    ['/nowhere/keys', 'ENOENT'],
    [tmpdir(), 'it is not a file'],
  ] as const) {
    await assert.rejects(createApiKeyService({ configured: [], file, log }), ({ message }: Error) =>
      message.startsWith(`API_KEYS_FILE=${file} cannot be read: ${reason}`),
    );
  }
});

test('an error in a later version of the file keeps the keys in force, and the log names the line', async (t) => {
  const { file, service, names, lines } = await startWithFile(t, entry('a', 1));
  const wrong = ['', `${entry('b', 2)}\n${entry('c', 3, 'boss')}`, 'hunter2'];
  for (const text of wrong) {
    await writeFile(file, text);
    await service.reload();
  }
  await unlink(file);
  await service.reload();
  assert.deepEqual(names(), ['a']);
  assert.deepEqual(new Set(lines.map(({ level }) => level)), new Set(['error']));
  const messages = lines.map(({ message }) => message);
  assert.equal(messages.length, 4);
  for (const [n, reason] of [
    /contains no key/,
    /line 2 has an unknown scope/,
    /line 1 /,
    /ENOENT/,
  ].entries()) {
    assert.match(messages[n]!, reason);
    assert.match(messages[n]!, / The API keys in force stay\.$/);
  }
  assert.doesNotMatch(messages.join(), /hunter2|000/);
  await writeFile(file, entry('b', 2));
  await service.reload();
  assert.deepEqual(names(), ['b']);
  assert.deepEqual(lines.at(-1)?.details, { added: ['b'], removed: ['a'] });
});

test('a key is revoked only when its own entry is removed or changed', async (t) => {
  const text = [1, 2, 3].map((n) => entry(`k${n}`, n)).join('\n');
  const { file, service } = await startWithFile(t, text);
  const before = Array.from(service.keys(), ({ revoked }) => revoked);
  await writeFile(file, `${entry('k2', 2)}\n${entry('k3', 4)}`);
  await service.reload();
  assert.deepEqual(
    before.map(({ aborted }) => aborted),
    [true, false, true],
  );
  const after = Array.from(service.keys(), ({ revoked }) => revoked);
  assert.equal(after[0], before[1]);
  assert.equal(after[1]?.aborted, false);
});

test('detects a rewritten file, a renamed file, and the exchanged links of Kubernetes', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { directory, file, service, names, next } = await startWithFile(t, entry('a', 1));
  service.watch();
  async function untilRead(): Promise<void> {
    const read = next();
    t.mock.timers.tick(API_KEYS_POLL_MS);
    await read;
  }
  await writeFile(file, entry('b', 2));
  await untilRead();
  assert.deepEqual(names(), ['b']);

  await writeFile(join(directory, 'new'), entry('c', 3));
  await rename(join(directory, 'new'), file);
  await untilRead();
  assert.deepEqual(names(), ['c']);

  // keys → ..data/keys, ..data → ..2027; an update renames a new link over ..data.
  for (const [version, text] of [
    ['..2027', entry('d', 4)],
    ['..2028', entry('e', 5)],
  ] as const) {
    await mkdir(join(directory, version));
    await writeFile(join(directory, version, 'keys'), text);
    await symlink(version, join(directory, '..data_tmp'));
    await rename(join(directory, '..data_tmp'), join(directory, '..data'));
    if (version === '..2027') {
      await unlink(file);
      await symlink('..data/keys', file);
    }
    await untilRead();
    assert.deepEqual(names(), [text[0]]);
    assert.equal(await readFile(file, 'utf8'), text);
  }
});

test('an unreadable file is logged once, and again on request', async (t) => {
  const { file, service, lines } = await startWithFile(t, entry('a', 1));
  t.mock.timers.enable({ apis: ['setInterval'] });
  service.watch();
  await unlink(file);
  t.mock.timers.tick(5 * API_KEYS_POLL_MS);
  await service.reload();
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['error', 'error'],
  );
});

test('warns daily before the expiry of a key, and revokes it after its last day', async (t) => {
  const now = Date.parse('2027-01-01T12:00:00Z');
  t.mock.timers.enable({ apis: ['Date', 'setInterval'], now });
  const { log, lines } = recordLog();
  const configured = parseApiKeys(`${entry('a', 1)}:2027-01-16,${entry('b', 2)}:2026-12-31,${entry('c', 3)}`);
  const service = await createApiKeyService({ configured, file: null, log });
  t.after(() => service.close());
  const revoked = () => Array.from(service.keys(), (each) => each.revoked.aborted);
  const namesWarned = () => lines.splice(0).map(({ details }) => Object.values(details)[0]);
  assert.match(lines[0]!.message, /^The API key b has expired: its last day was 2026-12-31/);
  assert.deepEqual([namesWarned(), revoked()], [['b'], [false, true, false]]);

  /** Moves the clock and lets one interval pass, instead of all between. */
  function moveTo(time: string): void {
    service.close();
    t.mock.timers.setTime(Date.parse(time) - API_KEYS_POLL_MS);
    service.watch();
    t.mock.timers.tick(API_KEYS_POLL_MS);
  }
  moveTo('2027-01-02T00:00:00Z');
  assert.deepEqual(namesWarned(), ['b']);
  moveTo('2027-01-03T00:00:00Z');
  assert.equal(EXPIRY_WARNING_DAYS, 14);
  assert.match(lines[0]!.message, /^The API key a expires soon: its last day is 2027-01-16 \(UTC\)/);
  assert.deepEqual(namesWarned(), ['a', 'b']);

  moveTo('2027-01-16T23:59:59Z');
  assert.deepEqual(revoked(), [false, true, false]);
  moveTo('2027-01-17T00:00:00Z');
  assert.deepEqual(revoked(), [true, true, false]);
});

test('a bootstrap key is in force beside the configured keys, until another one replaces it', async (t) => {
  const { service, names } = await startWithFile(t, entry('b', 2), entry('a', 1));
  const bootstrap = (n: number) => parseApiKeys(entry('first', n))[0]!;
  service.useBootstrapKey(bootstrap(3));
  assert.deepEqual(names(), ['a', 'first', 'b']);
  const revoked = Array.from(service.keys(), (key) => key.revoked);
  service.useBootstrapKey(bootstrap(4));
  assert.deepEqual(names(), ['a', 'first', 'b']);
  assert.deepEqual(
    revoked.map(({ aborted }) => aborted),
    [false, true, false],
  );
});
