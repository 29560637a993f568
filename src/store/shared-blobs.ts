/** Bytes that rows refer to by digest: kept as long as one does, however many there are. */
import { type BlobStore, digestOf } from './blobs.ts';

export interface SharedBlobs extends Pick<BlobStore, 'get'> {
  /**
   * Stores the bytes and lets `refer` write the row that refers to them. Nobody removes them meanwhile, though the row of
   * others with the same bytes be deleted.
   */
  putFor<T>(bytes: Uint8Array, refer: (digest: string) => Promise<T>): Promise<T>;
  /** Rows that referred to these are gone: removes those to which no other row refers. */
  release(digests: readonly string[]): Promise<void>;
}

/** @param isReferredTo whether there is a row; asked after the row of whoever releases is gone */
export function shareBlobs(
  blobs: BlobStore,
  isReferredTo: (digest: string) => Promise<boolean>,
): SharedBlobs {
  /** How many are about to refer to it. */
  const awaited = new Map<string, number>();
  let removals = Promise.resolve();

  function count(digest: string, change: 1 | -1): void {
    const now = (awaited.get(digest) ?? 0) + change;
    if (now === 0) awaited.delete(digest);
    else awaited.set(digest, now);
  }

  async function removeUnused(digests: readonly string[]): Promise<void> {
    for (const digest of digests) {
      if (!awaited.has(digest) && !(await isReferredTo(digest))) await blobs.remove(digest);
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
    async putFor(bytes, refer) {
      const digest = await digestOf(bytes);
      let referred = false;
      count(digest, 1);
      try {
        // A removal that began before this was counted may take the bytes away: they come after it.
        await removals;
        await blobs.put(bytes);
        const written = await refer(digest);
        referred = true;
        return written;
      } finally {
        count(digest, -1);
        if (!referred) await release([digest]).catch(() => {}); // why nothing refers to them is what to tell
      }
    },
  };
}
