import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resetSharedBootstrapKey } from '../../../src/commands/bootstrap-key.ts';
import { type ApiKey, sha256Bytes } from '../../../src/domain/api-key.ts';
import { createSharedBootstrapKey } from '../../../src/store/postgres/bootstrap-key.ts';
import { withoutPostgres } from '../../support/servers/postgres.ts';
import { blobDatabase } from './blob-database.ts';

const keyOf = (secret: string): ApiKey => ({ name: 'first', scopes: ['admin'], digest: sha256Bytes(secret) });

test('the first process creates the key and shows it, and the others read it until it is replaced', {
  skip: withoutPostgres,
}, async (t) => {
  const { db, connect, url } = await blobDatabase(t);
  const [a, b] = [createSharedBootstrapKey(db), createSharedBootstrapKey(await connect())];
  assert.equal(await a.read(), undefined);
  const failing = a.create(keyOf('lost'), () => {
    throw new Error('cannot be shown');
  });
  await assert.rejects(failing, /cannot be shown/);
  assert.equal(await b.read(), undefined, 'a key that was never shown is not stored');
  let shown = 0;
  const show = () => shown++;
  const created = await Promise.all([a.create(keyOf('a'), show), b.create(keyOf('b'), show)]);
  assert.deepEqual(created[0], created[1]);
  assert.equal(shown, 1);
  assert.deepEqual(await b.read(), created[0]);
  await b.save(keyOf('c'));
  await a.save(keyOf('d'));
  assert.deepEqual([await a.read(), await b.read()], [keyOf('d'), keyOf('d')]);
  const secret = await resetSharedBootstrapKey({
    url,
    directUrl: url,
    poolSize: 1,
    blobUrl: null,
    blobCredentials: null,
  });
  assert.deepEqual(await b.read(), keyOf(secret));
});
