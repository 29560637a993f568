import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChunkedBlobs } from '../../../src/store/postgres/blobs/chunked.ts';
import { openSharedState } from '../../../src/store/transfer/shared-state.ts';
import { execute, withoutPostgres } from '../../support/servers/postgres.ts';
import { failure } from '../fixtures.ts';
import { blobDatabase } from '../postgres/blob-database.ts';

test('a database that a process uses cannot be transferred', { skip: withoutPostgres }, async (t) => {
  const { db, url } = await blobDatabase(t);
  const blobs = createChunkedBlobs(db);
  const replica = (id: string, age: string) =>
    `insert into atelier.replicas values ('${id}', 'all', 1, 0, '', 0, 0, now() - interval '${age}')`;
  await execute(url, replica('dead', '1 min'));
  await openSharedState(db, { blobs, isBucket: false });
  await execute(url, replica('living', '0 s'));
  await assert.rejects(
    openSharedState(db, { blobs, isBucket: false }),
    failure('state-locked', 'in use by 1 Atelier processes', 'counts for 2 s more'),
  );
});

test('a database lacks the blobs that it does not hold whole, and a bucket may lack any', {
  skip: withoutPostgres,
}, async (t) => {
  const { db, url } = await blobDatabase(t);
  const blobs = createChunkedBlobs(db);
  const [whole, partial, none] = ['a', 'b', 'c'].map((digest) => ({ digest, id: 'x' })) as [
    { digest: string; id: string },
    { digest: string; id: string },
    { digest: string; id: string },
  ];
  await execute(
    url,
    `insert into atelier.blobs (digest, bytes, whole) values ('a', 0, true), ('b', 0, false)`,
  );
  const missing = async (isBucket: boolean) => {
    const state = await openSharedState(db, { blobs, isBucket });
    return state.blobs.checkpoints.missing([whole, partial, none]);
  };
  assert.deepEqual(await missing(false), [partial, none]);
  assert.deepEqual(await missing(true), [whole, partial, none]);
});

test('a blob that arrives with another content is damaged', { skip: withoutPostgres }, async (t) => {
  const { db } = await blobDatabase(t);
  const blobs = { ...createChunkedBlobs(db), putFile: async () => 'sha256:b' };
  const state = await openSharedState(db, { blobs, isBucket: false });
  await state.blobs.checkpoints.write({ digest: 'sha256:b', id: '' }, 'file');
  await assert.rejects(
    state.blobs.checkpoints.write({ digest: 'sha256:a', id: '' }, 'file'),
    failure('state-unusable', 'sha256:a', 'Repeat the transfer.'),
  );
});
