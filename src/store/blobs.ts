/** Content-addressed bytes: the parameters of models, and checkpoints. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AtelierError } from '../errors.ts';
import { errorMessage, isStorageFull, storageFull, syncDirectory } from './directory.ts';

/** Files here; chunks in PostgreSQL can serve the same. */
export interface BlobStore {
  /**
   * Durable when it resolves; the same bytes give the same digest, `sha256:` and 64 hex digits.
   * @throws AtelierError `storage-full`, `state-unusable`
   */
  put(bytes: Uint8Array): Promise<string>;
  /**
   * The bytes in a buffer of their own, from offset 0, so that any typed array can view them.
   * @throws AtelierError `state-unusable` when missing or damaged
   */
  get(digest: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Of all that there are. */
  list(): Promise<string[]>;
  /** Does nothing where it is gone already. */
  remove(digest: string): Promise<void>;
}

const TEMPORARY_SUFFIX = '.tmp';
const DIGEST = /^sha256:([0-9a-f]{64})$/;

/** One file a digest. The caller holds the lock of the state directory: leftovers of a killed process are removed. */
export async function openBlobs(directory: string): Promise<BlobStore> {
  await mkdir(directory, { recursive: true });
  const names = await readdir(directory);
  await Promise.all(
    names
      .filter((name) => name.endsWith(TEMPORARY_SUFFIX))
      .map((name) => rm(join(directory, name), { force: true })),
  );

  return {
    async put(bytes) {
      const digest = await sha256Hex(bytes);
      const hex = parseHex(digest);
      const temporary = join(directory, `${hex}.${randomUUID()}${TEMPORARY_SUFFIX}`);
      // Written even when the file exists: that one may be damaged, and a rename over it heals it.
      try {
        await write(temporary, bytes);
        await rename(temporary, join(directory, hex));
        await syncDirectory(directory);
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => {}); // the first failure is the one to tell
        if (isStorageFull(error)) throw storageFull(`${bytes.length} bytes`, error);
        throw new AtelierError(
          'state-unusable',
          `${digest} (${bytes.length} bytes) cannot be stored in ${directory}: ${errorMessage(error)}. ` +
            'Check the free space and the permissions there.',
          { cause: error },
        );
      }
      return digest;
    },

    async get(digest) {
      const bytes = await read(join(directory, parseHex(digest)), digest);
      if ((await sha256Hex(bytes)) !== digest) {
        throw new AtelierError(
          'state-unusable',
          `${digest} is damaged: its bytes have another digest. ` +
            'Restore the file from a backup, or train the model again.',
        );
      }
      return bytes;
    },

    async list() {
      const files = await readdir(directory);
      return files.map((name) => `sha256:${name}`).filter((digest) => DIGEST.test(digest));
    },

    remove: (digest) => rm(join(directory, parseHex(digest)), { force: true }),
  };
}

function parseHex(digest: string): string {
  const hex = DIGEST.exec(digest)?.[1];
  if (hex === undefined) throw new RangeError(`"${digest}" is not a digest: "sha256:" and 64 hex digits`);
  return hex;
}

async function write(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function read(file: string, digest: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (error) {
    throw new AtelierError(
      'state-unusable',
      `the bytes of ${digest} cannot be read: ${describeErrorCode(error)}. ` +
        'Restore the file from a backup, or train the model again.',
      { cause: error },
    );
  }
}

/** Without the path, which is nothing that clients need to know. */
function describeErrorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : errorMessage(error);
}

/** `sha256:` and 64 hex digits; in a thread of Node's own: a gigabyte takes a second. */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return `sha256:${Buffer.from(hash).toString('hex')}`;
}
