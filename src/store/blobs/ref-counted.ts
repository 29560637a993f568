/** Blobs that are removed when no row refers to them any more. */
import { hasCode } from '../../errors.ts';
import { measureFile } from './chunks.ts';
import { type BlobStore, parseHex, sha256Hex } from './content-addressed.ts';
import type { Marks } from './marks.ts';

export interface RefCountedBlobs extends Pick<BlobStore, 'get' | 'getFile'> {
  /**
   * Stores a blob, then calls `insertReference` to write the row that refers to it. The blob cannot be removed in between,
   * even if another row with the same content is deleted.
   */
  putReferenced<T>(bytes: Uint8Array, insertReference: (digest: string) => Promise<T>): Promise<T>;
  /** The same for a copy of a file. The file must not change until the promise settles. */
  putFileReferenced<T>(path: string, insertReference: (digest: string) => Promise<T>): Promise<T>;
  /** Call after deleting rows that referred to these blobs. Removes those that no other row refers to. */
  release(digests: readonly string[]): Promise<void>;
}

/**
 * @param isReferenced whether a row refers to the blob; called after the releasing row is deleted
 * @param marks of the files of the blobs
 */
export function createRefCountedBlobs(
  blobs: BlobStore,
  isReferenced: (digest: string) => Promise<boolean>,
  marks: Marks,
): RefCountedBlobs {
  /** Number of references that are about to be inserted, by digest. */
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
    removals = removal.catch(() => {}); // the caller of release gets the error
    return removal;
  }

  async function putAndRefer<T>(
    digest: string,
    put: () => Promise<unknown>,
    insertReference: (digest: string) => Promise<T>,
  ): Promise<T> {
    let isKept = false;
    count(digest, 1);
    try {
      // A removal that started before the blob was counted may still delete it, so it must end first.
      await removals;
      await marks.add(parseHex(digest));
      await put();
      const written = await insertReference(digest);
      isKept = true;
      return written;
    } catch (error) {
      // The commit may succeed although its connection is lost, perhaps later than `isReferenced` could look.
      isKept = hasCode(error, 'storage-unavailable');
      throw error;
    } finally {
      count(digest, -1);
      if (!isKept) await release([digest]).catch(() => {}); // the original error matters, not this one
      if (!pending.has(digest)) await marks.remove(parseHex(digest));
    }
  }

  return {
    get: blobs.get,
    getFile: blobs.getFile,
    release,
    putReferenced: async (bytes, insertReference) =>
      putAndRefer(await sha256Hex(bytes), () => blobs.put(bytes), insertReference),
    putFileReferenced: async (path, insertReference) =>
      putAndRefer((await measureFile(path)).digest, () => blobs.putFile(path), insertReference),
  };
}
