/** Blobs in an object store. The row of each is written first, and decides its collection. */
import { type Kysely, sql } from 'kysely';
import type { BlobStore } from '../../blobs/content-addressed.ts';
import type { Database } from '../../database/tables.ts';
import { createS3Client, type S3Credentials } from '../../s3/client.ts';
import { createObjectBlobs } from '../../s3/object-blobs.ts';
import { createObjects, type Objects } from '../../s3/objects.ts';
import { createChunkedBlobs } from './chunked.ts';
import { withBlobTables } from './tables.ts';

/** Blobs that the database itself holds, from the time before BLOB_URL was set, are still found. */
export function createRegisteredBlobs(
  db: Kysely<Database>,
  url: string,
  credentials: S3Credentials,
): { readonly blobs: BlobStore; readonly objects: Objects } {
  const objects = createObjects(createS3Client(url, credentials));
  /** Waits while `collectBlobs` removes the object of the same blob. */
  async function register(digest: string, bytes: number): Promise<void> {
    await withBlobTables(db)
      .insertInto('blobs')
      .values({ digest, bytes, whole: true })
      .onConflict((conflict) =>
        conflict.column('digest').doUpdateSet({ whole: true, created_at: sql<Date>`now()` }),
      )
      .execute();
  }
  return { objects, blobs: createObjectBlobs(objects, register, createChunkedBlobs(db)) };
}
