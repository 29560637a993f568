import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChunkedBlobs } from '../../../../src/store/postgres/blobs/chunked.ts';
import { withoutPostgres } from '../../../support/servers/postgres.ts';
import { blobDatabase } from '../blob-database.ts';

test('a blob of several transactions comes back byte for byte', { skip: withoutPostgres }, async (t) => {
  const blobs = createChunkedBlobs((await blobDatabase(t)).db, 4);
  // Chunks of 4 bytes, 8 in a transaction.
  const bytes = Uint8Array.from({ length: 2 * 8 * 4 + 3 }, (_, n) => n);
  assert.deepEqual(await blobs.get(await blobs.put(bytes)), bytes);
});
