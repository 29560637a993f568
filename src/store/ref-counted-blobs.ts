/** Bytes that rows refer to by digest: kept as long as one does, however many there are. */
import { type BlobStore, sha256Hex } from './blobs.ts';

export interface RefCountedBlobs extends Pick<BlobStore, 'get'> {
  /**
   * Stores the bytes and lets `refer` write the row that refers to them. Nobody removes them meanwhile, though the row of
   * others with the same bytes be deleted.
   */
  putReferenced<T>(bytes: Uint8Array, insertReference: (digest: string) => Promise<T>): Promise<T>;
  /** Rows that referred to these are gone: removes those to which no other row refers. */
  release(digests: readonly string[]): Promise<void>;
}

/** @param isReferenced whether there is a row; asked after the row of whoever releases is gone */
export function createRefCountedBlobs(
  blobs: BlobStore,
  isReferenced: (digest: string) => Promise<boolean>,
): RefCountedBlobs {
  /** How many are about to refer to it. */
  const pending = new Map<string, number>();
  let removals = Promise.resolve();

  function count(digest: string, change: 1 | -1): void {
    const now = (pending.get(digest) ?? 0) + change;
    if (now === 0) pending.delete(digest);
    else pending.set(digest, now);
  }

  async function removeUnused(digests: readonly string[]): Promise<void> {
    for (const digest of digests) {
      if (!pending.has(digest) && !(await isReferenced(digest))) await blobs.remove(digest);
    }
  }

  function release(digests: readonly string[]): Promise<void> {
    const removal = removals.then(() => removeUnused(digests));
    removals = removal.catch(() => {}); // whoever released is told
    return removal;
  }

  return {
    get: blobs.get,
    release,
    async putReferenced(bytes, insertReference) {
      const digest = await sha256Hex(bytes);
      let inserted = false;
      count(digest, 1);
      try {
        // A removal that began before this was counted may take the bytes away: they come after it.
        await removals;
        await blobs.put(bytes);
        const written = await insertReference(digest);
        inserted = true;
        return written;
      } finally {
        count(digest, -1);
        if (!inserted) await release([digest]).catch(() => {}); // why nothing refers to them is what to tell
      }
    },
  };
}
