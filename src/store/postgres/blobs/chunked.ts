/** Blobs in PostgreSQL, in chunks of 1 MiB: neither side holds a large value, nor the event loop for long. */
import { createHash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { AtelierError } from '../../../errors.ts';
import { CHUNK_BYTES, measureFile, readChunks } from '../../blobs/chunks.ts';
import { type BlobStore, damagedBlob, sha256Hex, writeVerified } from '../../blobs/content-addressed.ts';
import type { Database } from '../../database/tables.ts';
import { withBlobTables } from './tables.ts';

/** Chunks of one statement and transaction: larger blobs take several. */
const BATCH = 8;
const ADVICE = 'Restore the database from a backup, train the model or upload the data set again.';

/**
 * `put` stores the time of an existing blob again, and repairs its chunks.
 * @param db of the schema with the tables of blobs
 */
export function createChunkedBlobs(database: Kysely<Database>, chunkBytes = CHUNK_BYTES): BlobStore {
  const db = withBlobTables(database);

  /** Stores chunks with numbers from `first`, and refreshes the time of the blob. */
  async function putBatch(
    blob: { digest: string; bytes: number; whole: boolean },
    first: number,
    chunks: readonly Uint8Array[],
  ): Promise<void> {
    await db
      .with('blob', (query) =>
        query
          .insertInto('blobs')
          .values(blob)
          .onConflict((conflict) =>
            conflict.column('digest').doUpdateSet((eb) => ({
              created_at: sql`now()`,
              whole: sql<boolean>`${eb.ref('blobs.whole')} or ${eb.ref('excluded.whole')}`,
            })),
          ),
      )
      .insertInto('blob_chunks')
      .values(chunks.map((bytes, index) => ({ digest: blob.digest, n: first + index, bytes })))
      .onConflict((conflict) =>
        conflict
          .columns(['digest', 'n'])
          .doUpdateSet((eb) => ({ bytes: eb.ref('excluded.bytes') }))
          .whereRef('blob_chunks.bytes', '<>', 'excluded.bytes'),
      )
      .execute();
  }

  /** Makes a blob of several batches visible. */
  async function complete(digest: string, chunks: number): Promise<void> {
    const { numUpdatedRows } = await db
      .updateTable('blobs')
      .set({ whole: true, created_at: sql`now()` })
      .where('digest', '=', digest)
      .where(
        (eb) =>
          eb
            .selectFrom('blob_chunks')
            .where('digest', '=', digest)
            .select(({ fn }) => fn.countAll<number>().as('count')),
        '=',
        chunks,
      )
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new Error(`The blob ${digest} was removed while it was being stored.`);
  }

  async function putChunks(
    digest: string,
    bytes: number,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const isOneBatch = bytes <= BATCH * chunkBytes;
    let first = 0;
    let batch: Uint8Array[] = [];
    const flush = async () => {
      await putBatch({ digest, bytes, whole: isOneBatch }, first, batch);
      first += batch.length;
      batch = [];
    };
    for await (const chunk of chunks) {
      batch.push(chunk);
      if (batch.length === BATCH) await flush();
    }
    // An empty blob has one empty chunk.
    if (first === 0 && batch.length === 0) batch.push(new Uint8Array());
    if (batch.length > 0) await flush();
    if (!isOneBatch) await complete(digest, first);
  }

  async function* getChunks(digest: string): AsyncGenerator<{ size: number; bytes: Uint8Array }> {
    for (let first = 0; ; first += BATCH) {
      const rows = await db
        .selectFrom('blobs')
        .innerJoin('blob_chunks', 'blob_chunks.digest', 'blobs.digest')
        .select(['blobs.bytes as size', 'blob_chunks.bytes'])
        .where('blobs.digest', '=', digest)
        .where('blobs.whole', '=', true)
        .where('blob_chunks.n', '>=', first)
        .where('blob_chunks.n', '<', first + BATCH)
        .orderBy('blob_chunks.n')
        .execute();
      if (first === 0 && rows.length === 0) {
        throw new AtelierError('state-unusable', `The blob ${digest} is missing. ${ADVICE}`);
      }
      for (const { size, bytes } of rows) yield { size: Number(size), bytes };
      if (rows.length < BATCH) return;
    }
  }

  return {
    async put(bytes) {
      const digest = await sha256Hex(bytes);
      await putChunks(digest, bytes.length, chunksOf(bytes, chunkBytes));
      return digest;
    },

    async get(digest) {
      let whole = new Uint8Array();
      let filled = 0;
      for await (const { size, bytes } of getChunks(digest)) {
        if (filled === 0) whole = new Uint8Array(size);
        if (filled + bytes.length > size) throw damagedBlob(digest, ADVICE);
        whole.set(bytes, filled);
        filled += bytes.length;
      }
      if (filled !== whole.length || (await sha256Hex(whole)) !== digest) throw damagedBlob(digest, ADVICE);
      return whole;
    },

    async putFile(path) {
      const { digest, bytes } = await measureFile(path);
      await putChunks(digest, bytes, unchangedChunks(path, digest, chunkBytes));
      return digest;
    },

    getFile: (digest, path) => writeVerified(digest, path, justBytes(getChunks(digest)), ADVICE),

    async remove(digest) {
      await db.deleteFrom('blobs').where('digest', '=', digest).execute();
    },
  };
}

function* chunksOf(bytes: Uint8Array, size: number): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Chunks of the file. Ends with an error if the digest of the file has changed. */
async function* unchangedChunks(path: string, digest: string, size: number): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of readChunks(path, size)) {
    hash.update(chunk);
    yield chunk;
  }
  if (`sha256:${hash.digest('hex')}` !== digest) throw new Error(`The file of ${digest} has changed.`);
}

async function* justBytes(chunks: AsyncIterable<{ bytes: Uint8Array }>): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of chunks) yield bytes;
}
