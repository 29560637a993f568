/** Content-addressed blobs: parameters of models, checkpoints, and on PostgreSQL data sets. */
import { hash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AtelierError } from '../../errors.ts';
import { openRegularFile } from '../../formats/regular-file.ts';
import { readChunks, writeChunks } from './chunks.ts';
import { errorMessage, isDiskFull, storageFull, syncFile, syncPath } from './directory.ts';
import { openTemporaryFiles } from './temporary.ts';

/** Stores blobs by digest. `openBlobs` keeps them in files. */
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
  /** Stores a copy of a file. It may be larger than memory, and must not change until then. @throws AtelierError like `put` */
  putFile(path: string): Promise<string>;
  /**
   * Writes the bytes to a new file, and removes it again if the blob turns out to be damaged.
   * @throws AtelierError as `get`; `storage-full`
   */
  getFile(digest: string, path: string): Promise<void>;
  /** Does nothing if the blob does not exist. */
  remove(digest: string): Promise<void>;
}

const ADVICE = 'Restore the file from a backup, or train the model again.';
const DIGEST = /^sha256:([0-9a-f]{64})$/;

/**
 * One file per digest. The caller must hold the lock of the state directory, because temporary files of a killed process
 * are removed.
 * @param content the object that a blob is, for error messages
 */
export async function openBlobs(directory: string, content = 'the blob'): Promise<BlobStore> {
  const { newFile } = await openTemporaryFiles(directory);

  /** @param write returns the digest of the bytes that it wrote to the temporary file */
  async function store(size: string, write: (temporary: string) => Promise<string>): Promise<string> {
    const temporary = newFile();
    try {
      const digest = await write(temporary);
      // Written even if the file exists, because this repairs a damaged file.
      await rename(temporary, join(directory, parseHex(digest)));
      await syncPath(directory);
      return digest;
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {}); // the first error is reported
      if (isDiskFull(error)) throw storageFull(`${content}${size}`, error);
      throw new AtelierError(
        'state-unusable',
        `STATE_DIR cannot store ${content}: ${describeErrorCode(error)}. ` +
          'Check its disk and permissions; the log of the service names the file.',
        { cause: error },
      );
    }
  }

  return {
    async put(bytes) {
      const digest = await sha256Hex(bytes);
      return store(` (${bytes.length} bytes)`, async (temporary) => {
        await write(temporary, bytes);
        return digest;
      });
    },

    async get(digest) {
      const bytes = await read(join(directory, parseHex(digest)), digest);
      if ((await sha256Hex(bytes)) !== digest) throw damagedBlob(digest, ADVICE);
      return bytes;
    },

    putFile: (path) => store('', (temporary) => writeChunks(temporary, readChunks(path))),

    async getFile(digest, path) {
      const file = join(directory, parseHex(digest));
      await writeVerified(digest, path, unreadable(digest, readChunks(file)), ADVICE);
    },

    remove: (digest) => rm(join(directory, parseHex(digest)), { force: true }),
  };
}

/** The hexadecimal digits of a digest. @throws RangeError */
export function parseHex(digest: string): string {
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

async function read(path: string, digest: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    await using file = await openRegularFile(path);
    return new Uint8Array(await file.readFile());
  } catch (error) {
    throw unreadableFile(digest, error);
  }
}

/** The same chunks; errors of the file system become errors of the blob. */
async function* unreadable(digest: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (error) {
    throw unreadableFile(digest, error);
  }
}

function unreadableFile(digest: string, cause: unknown): AtelierError {
  return new AtelierError(
    'state-unusable',
    `The blob ${digest} cannot be read: ${describeErrorCode(cause)}. ${ADVICE}`,
    { cause },
  );
}

/** @param advice where to restore the blob from */
export function damagedBlob(digest: string, advice: string): AtelierError {
  return new AtelierError(
    'state-unusable',
    `The blob ${digest} is damaged: its content has a different digest. ${advice}`,
  );
}

/**
 * Writes the chunks of a blob to a new file, and removes the file if an error occurs or the digest differs.
 * @throws AtelierError `state-unusable` if the digest differs, `storage-full`
 */
export async function writeVerified(
  digest: string,
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  advice: string,
): Promise<void> {
  try {
    if ((await writeChunks(path, chunks)) !== digest) throw damagedBlob(digest, advice);
  } catch (error) {
    await rm(path, { force: true }).catch(() => {}); // the first error is reported
    throw isDiskFull(error) ? storageFull('a copy of the blob', error) : error;
  }
}

/** The code of a system error without its path: clients must not see it. */
function describeErrorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : errorMessage(error);
}

/** Bytes that are hashed at once, in about a millisecond; the first use of Web Crypto takes longer. */
const MAX_INLINE_BYTES = 1024 * 1024;

/** `sha256:` and 64 hexadecimal digits. Large content is hashed in Node's thread pool: a gigabyte takes a second. */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  if (bytes.length <= MAX_INLINE_BYTES) return `sha256:${hash('sha256', bytes)}`;
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return `sha256:${Buffer.from(digest).toString('hex')}`;
}
