/** Content-addressed blobs: parameters of models, and checkpoints. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AtelierError } from '../errors.ts';
import { errorMessage, isDiskFull, storageFull, syncFile, syncPath } from './directory.ts';

/** Stores blobs by digest. `openBlobs` keeps them in files; another implementation could use a database. */
export interface BlobStore {
  /**
   * Stores the bytes durably before it resolves. Returns their digest, `sha256:` and 64 hexadecimal digits.
   * @throws AtelierError `storage-full`, `state-unusable`
   */
  put(bytes: Uint8Array): Promise<string>;
  /**
   * Returns the bytes in a separate buffer from offset 0, so that any typed array can view them.
   * @throws AtelierError `state-unusable` if the blob is missing or damaged
   */
  get(digest: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Does nothing if the blob does not exist. */
  remove(digest: string): Promise<void>;
}

const TEMPORARY_SUFFIX = '.tmp';
const DIGEST = /^sha256:([0-9a-f]{64})$/;

/**
 * One file per digest. The caller must hold the lock of the state directory, because temporary files of a killed process
 * are removed.
 * @param content the object that a blob is, for error messages
 */
export async function openBlobs(directory: string, content = 'the blob'): Promise<BlobStore> {
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
      // Written even if the file exists, because this repairs a damaged file.
      try {
        await write(temporary, bytes);
        await rename(temporary, join(directory, hex));
        await syncPath(directory);
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => {}); // the first error is reported
        if (isDiskFull(error)) throw storageFull(`${content} (${bytes.length} bytes)`, error);
        throw new AtelierError(
          'state-unusable',
          `STATE_DIR cannot store ${content}: ${describeErrorCode(error)}. ` +
            'Check its disk and permissions; the log of the service names the file.',
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
          `The blob ${digest} is damaged: its content has a different digest. ` +
            'Restore the file from a backup, or train the model again.',
        );
      }
      return bytes;
    },

    remove: (digest) => rm(join(directory, parseHex(digest)), { force: true }),
  };
}

function parseHex(digest: string): string {
  const hex = DIGEST.exec(digest)?.[1];
  if (hex === undefined)
    throw new RangeError(`"${digest}" is not a digest of the form "sha256:" and 64 hexadecimal digits.`);
  return hex;
}

async function write(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(bytes);
    await syncFile(handle);
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
      `The blob ${digest} cannot be read: ${describeErrorCode(error)}. ` +
        'Restore the file from a backup, or train the model again.',
      { cause: error },
    );
  }
}

/** The code of a system error without its path, which clients must not see. */
function describeErrorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : errorMessage(error);
}

/** `sha256:` and 64 hexadecimal digits. Computed in Node's thread pool: a gigabyte takes a second. */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return `sha256:${Buffer.from(hash).toString('hex')}`;
}
