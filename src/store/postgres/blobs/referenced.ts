/** Blobs that rows refer to by foreign keys, so that a blob cannot be removed between `put` and its reference. */
import type { BlobStore } from '../../blobs/content-addressed.ts';
import type { RefCountedBlobs } from '../../blobs/ref-counted.ts';

const ATTEMPTS = 5;
/** SQLSTATE */
const FOREIGN_KEY_VIOLATION = '23503';
/** Names of the constraints by which rows refer to blobs, as the baseline declares them. */
const BLOB_CONSTRAINT = /_blob$/;

/** Nothing is removed on release: `collectBlobs` removes what no row refers to. */
export function createReferencedBlobs(blobs: BlobStore): RefCountedBlobs {
  return {
    get: blobs.get,
    getFile: blobs.getFile,
    putReferenced: (bytes, insertReference) => putAndRefer(() => blobs.put(bytes), insertReference),
    putFileReferenced: (path, insertReference) => putAndRefer(() => blobs.putFile(path), insertReference),
    async release() {},
  };
}

/**
 * Stores a blob, then calls `insertReference`, whose transaction locks the row of the blob. Both are repeated if the blob
 * was collected in between: that takes an hour.
 */
export function putAndRefer<T>(
  put: () => Promise<string>,
  insertReference: (digest: string) => Promise<T>,
): Promise<T> {
  return repeatAfterViolation(async () => insertReference(await put()));
}

/** A blob was removed while a row was about to refer to it, or the other way around. */
export async function repeatAfterViolation<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !isBlobViolation(error)) throw error;
    }
  }
}

/** Whether a row refers to a blob that does not exist, or a blob cannot be deleted because a row refers to it. */
function isBlobViolation(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error && 'constraint' in error)) return false;
  return error.code === FOREIGN_KEY_VIOLATION && BLOB_CONSTRAINT.test(String(error.constraint));
}
