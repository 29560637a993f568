/** Blobs as objects of an S3-compatible store, named by the hexadecimal digits of their digest. */
import { AtelierError } from '../../errors.ts';
import { type BlobStore, damagedBlob, parseHex, sha256Hex, writeVerified } from '../blobs.ts';
import { measureFile } from '../file-chunks.ts';
import { type Objects, readBytes } from './objects.ts';

const ADVICE = 'Restore the object from a backup, or train the model or upload the data set again.';

export function createObjectBlobs(objects: Objects): BlobStore {
  async function get<T>(digest: string, use: (chunks: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T> {
    const result = await objects.get(parseHex(digest), async (chunks) => ({ value: await use(chunks) }));
    if (result === undefined)
      throw new AtelierError(
        'state-unusable',
        `The blob ${digest} is missing in the object store. ${ADVICE}`,
      );
    return result.value;
  }

  return {
    async put(bytes) {
      const digest = await sha256Hex(bytes);
      const hex = parseHex(digest);
      await objects.put(hex, bytes as Uint8Array<ArrayBuffer>, hex);
      return digest;
    },

    async get(digest) {
      const bytes = await get(digest, readBytes);
      if ((await sha256Hex(bytes)) !== digest) throw damagedBlob(digest, ADVICE);
      return bytes;
    },

    async putFile(path) {
      const { digest } = await measureFile(path);
      const hex = parseHex(digest);
      await objects.putFile(hex, path, hex);
      return digest;
    },

    getFile: (digest, path) => get(digest, (chunks) => writeVerified(digest, path, chunks, ADVICE)),
    remove: (digest) => objects.remove(parseHex(digest)),
  };
}
