import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type ApiKey,
  formatApiKey,
  generateKey,
  type Scope,
  sha256Bytes,
} from '../../../../src/domain/api-key.ts';
import { assertProblem, endless, startService, temporaryDirectory } from '../../../support/start-service.ts';
import { openStream } from '../../read-events.ts';

const secrets = { ci: generateKey(), ops: generateKey(), old: generateKey() };
const entry = (name: keyof typeof secrets, scope: Scope, lastDay?: string) => {
  const key: ApiKey = { name, scopes: [scope], digest: sha256Bytes(secrets[name]) };
  return formatApiKey(lastDay === undefined ? key : { ...key, lastDay });
};
const bearer = (name: keyof typeof secrets) => ({ authorization: `Bearer ${secrets[name]}` });

async function startWithFile(t: TestContext, lines: readonly string[]) {
  const file = join(await temporaryDirectory(t), 'keys');
  const write = (lines: readonly string[]) => writeFile(file, lines.join('\n'));
  await write(lines);
  const service = await startService(t, { API_KEYS_FILE: file, LOG_LEVEL: 'fatal' });
  const list = (name: keyof typeof secrets) =>
    service.app.inject({ url: '/v1/models', headers: bearer(name) });
  return { ...service, write, list };
}

test('a key added to the file is accepted and a removed one rejected, without a restart', async (t) => {
  const { app, list, write, reloadKeys } = await startWithFile(t, [entry('ci', 'predict')]);
  assertProblem(await app.inject('/v1/models'), 401, 'unauthenticated');
  assert.deepEqual([(await list('ci')).statusCode, (await list('ops')).statusCode], [200, 401]);
  await write([entry('ops', 'predict')]);
  await reloadKeys();
  assert.deepEqual([(await list('ci')).statusCode, (await list('ops')).statusCode], [401, 200]);
  await write(['damaged']);
  await reloadKeys();
  assert.deepEqual([(await list('ci')).statusCode, (await list('ops')).statusCode], [401, 200]);
});

test('a key is valid on its last day', async (t) => {
  const now = Date.UTC(2030, 0, 31, 23, 59);
  t.mock.timers.enable({ apis: ['Date'], now });
  const { list } = await startWithFile(t, [
    entry('ci', 'predict', '2030-01-31'),
    entry('old', 'predict', '2030-01-30'),
  ]);
  assert.deepEqual([(await list('ci')).statusCode, (await list('old')).statusCode], [200, 401]);
});

test('an expired key is rejected with a message that only its owner gets', async (t) => {
  const { app, list } = await startWithFile(t, [
    entry('ci', 'predict', '2999-12-31'),
    entry('old', 'admin', '2020-02-29'),
  ]);
  assert.equal((await list('ci')).statusCode, 200);
  const response = await list('old');
  const { detail } = assertProblem(response, 401, 'unauthenticated');
  assert.match(detail, /^The API key old has expired: its last day was 2020-02-29 \(UTC\)\./);
  assert.equal(
    response.headers['www-authenticate'],
    'Bearer realm="atelier", error="invalid_token", error_description="The key has expired"',
  );
  const wrong = await app.inject({ url: '/v1/models', headers: { authorization: 'Bearer old' } });
  assert.match(assertProblem(wrong, 401, 'unauthenticated').detail, /^The API key is unknown\./);
});

test('removing a key ends its event streams and no others', async (t) => {
  const { app, write, reloadKeys } = await startWithFile(t, [entry('ci', 'predict'), entry('ops', 'train')]);
  const url = '/v1/training-jobs';
  const job = await app.inject({ method: 'POST', url, payload: endless, headers: bearer('ops') });
  const base = await app.listen({ port: 0, host: '127.0.0.1' });
  const events = `${base}${job.headers.location}/events`;
  const [removed, kept] = await Promise.all([
    openStream(events, bearer('ci')),
    openStream(events, bearer('ops')),
  ]);
  const messages = Array.fromAsync(removed.messages());
  await write([entry('ops', 'train')]);
  await reloadKeys();
  assert.equal((await messages).at(-1), ': The API key is no longer valid.\n');
  const again = await openStream(events, bearer('ci'));
  assert.equal(again.status, 401);
  await app.inject({ method: 'POST', url: `${job.headers.location}/cancel`, headers: bearer('ops') });
  const all = await Array.fromAsync(kept.events());
  assert.equal(all.at(-1)?.type, 'status');
});
