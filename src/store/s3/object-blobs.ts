/** Blobs as objects of an S3-compatible store, named by the hexadecimal digits of their digest. */
import { AtelierError } from '../../errors.ts';
import { measureFile } from '../blobs/chunks.ts';
import {
  type BlobStore,
  damagedBlob,
  parseHex,
  sha256Hex,
  writeVerified,
} from '../blobs/content-addressed.ts';
import { type Objects, readBytes } from './objects.ts';

const ADVICE = 'Restore the object from a backup, train the model or upload the data set again.';

/** Called with the digest and the size of a blob before its object is written. */
export type RegisterBlob = (digest: string, bytes: number) => Promise<void>;

/** @param earlier holds blobs of the time before the object store was used; by default none */
export function createObjectBlobs(
  objects: Objects,
  register: RegisterBlob = async () => {},
  earlier: Pick<BlobStore, 'get' | 'getFile'> = { get: rejectMissing, getFile: rejectMissing },
): BlobStore {
  return {
    async put(bytes) {
      const digest = await sha256Hex(bytes);
      const hex = parseHex(digest);
      await register(digest, bytes.length);
      await objects.put(hex, bytes as Uint8Array<ArrayBuffer>, hex);
      return digest;
    },

    async get(digest) {
      const bytes = await objects.get(parseHex(digest), readBytes);
      if (bytes === undefined) return earlier.get(digest);
      if ((await sha256Hex(bytes)) !== digest) throw damagedBlob(digest, ADVICE);
      return bytes;
    },

    async putFile(path) {
      const { digest, bytes } = await measureFile(path);
      const hex = parseHex(digest);
      await register(digest, bytes);
      await objects.putFile(hex, path, hex);
      return digest;
    },

    async getFile(digest, path) {
      const found = await objects.get(parseHex(digest), async (chunks) => {
        await writeVerified(digest, path, chunks, ADVICE);
        return true;
      });
      if (found === undefined) await earlier.getFile(digest, path);
    },

    remove: (digest) => objects.remove(parseHex(digest)),
  };
}

async function rejectMissing(digest: string): Promise<never> {
  throw new AtelierError('state-unusable', `The blob ${digest} is missing in the object store. ${ADVICE}`);
}
