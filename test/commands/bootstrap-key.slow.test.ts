import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { INHERITED, serviceAddress, startProcess } from '../support/start-process.ts';
import { temporaryDirectory } from '../support/start-service.ts';

async function startReachable(t: TestContext, stateDir: string, environment: Record<string, string> = {}) {
  const service = startProcess(t, stateDir, { HOST: '0.0.0.0', ...environment });
  return { service, base: (await serviceAddress(service)).replace('0.0.0.0', '127.0.0.1') };
}

const keyIn = (output: string) => /^ {2}(atl_[\w-]{43})$/m.exec(output)?.[1];

/** Runs `npm run -s key -- --reset`. */
async function resetKey(stateDir: string) {
  const script = join(import.meta.dirname, '../../scripts/key.ts');
  const env = { ...INHERITED, STATE_DIR: stateDir };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, '--reset'], { env });
  return { key: stdout.trim(), stderr };
}

const statusOf = async (base: string, key?: string) =>
  (await fetch(`${base}/v1/models`, { headers: key ? { authorization: `Bearer ${key}` } : {} })).status;

test('a first start reachable by others prints a key with a curl command, and stores only its hash', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const { service: first, base } = await startReachable(t, stateDir);
  const key = keyIn(first.output());
  assert.ok(key, first.output());
  assert.match(
    first.output(),
    /^ {2}curl -s http:\/\/localhost:\S+\/v1\/models -H 'authorization: Bearer atl_/m,
  );
  assert.deepEqual([await statusOf(base), await statusOf(base, key)], [401, 200]);
  assert.match(first.output(), /\/docs, with a key\. Try: curl -s \S+ -H 'authorization: Bearer <key>'/);
  assert.equal((await fetch(`${base}/health/live`)).status, 200);
  const file = join(stateDir, 'api-key');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const hash = createHash('sha256').update(key).digest('hex');
  assert.equal(await readFile(file, 'utf8'), `first:admin:${hash}\n`);
  first.child.kill('SIGKILL');
  await first.exited;

  const { service: second, base: baseOfSecond } = await startReachable(t, stateDir);
  assert.equal(await statusOf(baseOfSecond, key), 200);
  assert.doesNotMatch(second.output(), /atl_/);
  assert.match(second.output(), /generate another one with npx atelier key --reset .*, or set API_KEYS/);
  const lost = await resetKey(stateDir);
  assert.match(lost.stderr, /Restart the service\. It accepts the previous key until then/);
  assert.equal(await statusOf(baseOfSecond, key), 200);
  second.child.kill('SIGTERM');
  await second.exited;

  const reset = await resetKey(stateDir);
  assert.match(reset.stderr, /Start the service\.$/m);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const { base: baseOfThird } = await startReachable(t, stateDir);
  const keys = [key, lost.key, reset.key];
  assert.deepEqual(await Promise.all(keys.map((each) => statusOf(baseOfThird, each))), [401, 401, 200]);
});

test('a key is not reset in a directory that does not exist', async (t) => {
  const stateDir = join(await temporaryDirectory(t), 'nothing');
  await assert.rejects(resetKey(stateDir), /The state directory \S+nothing does not exist\. Set STATE_DIR/);
});

test('with ALLOW_ANONYMOUS=true no key is generated', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const { service, base } = await startReachable(t, stateDir, { ALLOW_ANONYMOUS: 'true' });
  assert.equal(await statusOf(base), 200);
  assert.doesNotMatch(service.output(), /atl_/);
  await assert.rejects(readFile(join(stateDir, 'api-key')), /ENOENT/);
});

test('neither valid nor invalid keys appear in output or files', async (t) => {
  const [right, wrong] = ['atl_the-right-key', 'atl_a-wrong-key'];
  const hash = createHash('sha256').update(right).digest('hex');
  const environment = { API_KEYS: `ci:predict:${hash}`, LOG_LEVEL: 'trace' };
  const service = startProcess(t, await temporaryDirectory(t), environment);
  const base = await serviceAddress(service);
  for (const key of [right, wrong]) {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    for (const path of ['/v1/models', '/v1/models/nobody', '/v1/nothing', '/health/ready']) {
      await (await fetch(base + path, { headers })).text();
    }
    for (const path of ['/v1/models', '/v1/nothing', '/v1/training-jobs/x/events', '/%', '/metrics']) {
      await (await fetch(`${base}${path}?access_token=${key}`, { headers })).text();
    }
    for (const body of ['{', '{}']) {
      await (await fetch(`${base}/v1/training-jobs`, { method: 'POST', headers, body })).text();
      await (await fetch(`${base}/v1/gradient-checks`, { method: 'POST', headers, body })).text();
    }
    // Node's HTTP parser rejects this request.
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    socket.end(`GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nbad header\r\n\r\n`);
    await once(socket.resume(), 'close');
  }
  service.child.kill('SIGTERM');
  await service.exited;
  const output = service.output();
  assert.ok(output.includes('/v1/models/nobody'), 'the requests are in the log');
  for (const part of ['the-right-key', 'a-wrong-key', hash]) assert.ok(!output.includes(part), part);
});
