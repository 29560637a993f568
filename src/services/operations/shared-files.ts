/** Files that requests share: written once, and readable without a name until the last reader has finished. */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createWorkTimes } from '../../concurrency/work-times.ts';
import { AtelierError } from '../../errors.ts';
import { createCoalescingCache } from '../inspection/coalesce.ts';

const CHUNK_BYTES = 128 * 1024;

export interface SharedFile {
  /** In bytes. */
  readonly size: number;
  /**
   * Call in the same turn of the event loop. The stream must be read or destroyed.
   * @param range positions of the first and the last byte; default: all
   */
  read(range?: { readonly start: number; readonly end: number }): Readable;
}

/**
 * @param key everything that the content depends on
 * @param write writes a new file; called only if the file is neither being written nor in use
 * @throws AtelierError `overloaded` if too many bytes are in use; the reason of `signal`; the errors of `write`
 */
export type OpenShared = (
  key: string,
  signal: AbortSignal,
  write: (path: string, signal: AbortSignal) => Promise<void>,
) => Promise<SharedFile>;

/**
 * @param newFile returns the path of a new file
 * @param maxBytes if files in use exceed this size, no further one is written
 */
export function createSharedFiles(newFile: () => string, maxBytes: number): OpenShared {
  const coalesce = createCoalescingCache<SharedFile>(0);
  const inUse = new Map<string, SharedFile>();
  const times = createWorkTimes();

  function share(key: string, handle: FileHandle, size: number): SharedFile {
    const startedAt = times.start();
    let readers = 0;
    const closeIfUnused = () => {
      if (readers > 0 || inUse.get(key) !== file) return;
      inUse.delete(key);
      times.end(startedAt);
      void handle.close();
    };
    const file: SharedFile = {
      size,
      read(range = { start: 0, end: size - 1 }) {
        readers += 1;
        return Readable.from(readChunks(handle, range), { objectMode: false }).once('close', () => {
          readers -= 1;
          closeIfUnused();
        });
      },
    };
    inUse.set(key, file);
    // If every request has been aborted, nothing reads the file.
    setImmediate(closeIfUnused);
    return file;
  }

  async function writeShared(
    key: string,
    signal: AbortSignal,
    write: Parameters<OpenShared>[2],
  ): Promise<SharedFile> {
    const used = inUse.values().reduce((sum, { size }) => sum + size, 0);
    if (used >= maxBytes) {
      throw new AtelierError(
        'overloaded',
        `Clients are still reading files of more than ${maxBytes / 2 ** 20} MiB together. Try again shortly.`,
        { retryAfterSeconds: times.secondsUntilNext() },
      );
    }
    const path = newFile();
    try {
      await write(path, signal);
      const handle = await open(path);
      const { size } = await handle.stat();
      // The open file stays readable; the system frees it when it is closed, even if the process is killed.
      await rm(path);
      return share(key, handle, size);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  return async (key, signal, write) =>
    inUse.get(key) ?? coalesce(key, signal, (abortSignal) => writeShared(key, abortSignal, write));
}

/** Every reader has its own position. */
async function* readChunks(
  handle: FileHandle,
  { start, end }: NonNullable<Parameters<SharedFile['read']>[0]>,
): AsyncGenerator<Buffer> {
  for (let position = start; position <= end; ) {
    const length = Math.min(CHUNK_BYTES, end + 1 - position);
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
