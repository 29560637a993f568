import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FastifyBaseLogger } from 'fastify';
import { bootstrapKey, resetBootstrapKey } from '../../src/commands/bootstrap-key.ts';
import { sha256Bytes } from '../../src/domain/api-key.ts';
import { createBootstrapKeyFile } from '../../src/store/bootstrap-key.ts';
import { lockDirectory } from '../../src/store/sqlite/lock.ts';
import { failure, temporaryDirectory } from '../store/fixtures.ts';

test('the first start prints a new key once, and later ones name the way to replace it', async (t) => {
  const keys = createBootstrapKeyFile(await temporaryDirectory(t));
  const logged: string[] = [];
  const log = { info: (message: string) => void logged.push(message) } as unknown as FastifyBaseLogger;
  const { mock } = t.mock.method(process.stderr, 'write', () => true);
  const first = await bootstrapKey(keys, { port: 3210 }, log);
  assert.deepEqual(logged, []);
  const printed = mock.calls.map((call) => String(call.arguments[0])).join('');
  const again = await bootstrapKey(keys, { port: 3210 }, log);
  const calls = mock.callCount();
  mock.restore();
  const [secret] = /atl_[\w-]{43}/.exec(printed)!;
  assert.deepEqual(first, { name: 'first', scopes: ['admin'], digest: sha256Bytes(secret) });
  assert.ok(printed.includes(`curl -s http://localhost:3210/v1/models -H 'authorization: Bearer ${secret}'`));
  assert.deepEqual([again, calls], [first, 1]);
  assert.equal(logged.length, 1);
  assert.match(logged[0]!, /^Requests need the key that the first start printed\..* atelier key --reset /);
});

test('replaces the key of a state directory, and reports whether a service uses it', async (t) => {
  const directory = await temporaryDirectory(t);
  const keys = createBootstrapKeyFile(directory);
  const unused = await resetBootstrapKey(directory);
  assert.equal(unused.isInUse, false);
  assert.deepEqual((await keys.read())?.digest, sha256Bytes(unused.secret));
  // The lock is free again.
  const lock = lockDirectory(directory);
  const used = await resetBootstrapKey(directory);
  assert.equal(used.isInUse, true);
  assert.deepEqual((await keys.read())?.digest, sha256Bytes(used.secret));
  lock.release();
  const missing = join(directory, 'missing');
  await assert.rejects(resetBootstrapKey(missing), failure('state-unusable', missing, 'Set STATE_DIR'));
});
