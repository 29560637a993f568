/** Blobs in an object store. Each has a row in the database, which is written before the object. */
import { type Kysely, sql } from 'kysely';
import type { BlobStore } from '../../blobs/content-addressed.ts';
import type { Database } from '../../database/tables.ts';
import { createS3Client, type S3Credentials } from '../../s3/client.ts';
import { createObjectBlobs } from '../../s3/object-blobs.ts';
import { createObjects, type Objects } from '../../s3/objects.ts';
import { createChunkedBlobs } from './chunked.ts';
import { withBlobTables } from './tables.ts';

/**
 * Stores blobs in the object store at BLOB_URL. Blobs that were stored in the database before it was set are still found.
 * `collectBlobs` removes unused blobs by their rows and from `objects`.
 */
export function createRegisteredBlobs(
  db: Kysely<Database>,
  url: string,
  credentials: S3Credentials,
): { readonly blobs: BlobStore; readonly objects: Objects } {
  const objects = createObjects(createS3Client(url, credentials));
  /** Writes the row of a blob. It is blocked by a lock of the row while `collectBlobs` removes the same blob. */
  async function register(digest: string, bytes: number): Promise<void> {
    await withBlobTables(db)
      .insertInto('blobs')
      .values({ digest, bytes, whole: false })
      // A new time keeps `collectBlobs` from removing a blob that is being stored again.
      .onConflict((conflict) => conflict.column('digest').doUpdateSet({ created_at: sql<Date>`now()` }))
      .execute();
  }
  return { objects, blobs: createObjectBlobs(objects, register, createChunkedBlobs(db)) };
}
