/** Disk space in reserve for operations that free space or stop work: they succeed on a full disk. */
import { randomBytes } from 'node:crypto';
import { appendFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createSemaphore } from '../../concurrency/semaphore.ts';
import { hasCode } from '../../errors.ts';
import type { WithReserve } from '../database/rows.ts';

export interface SpaceReserve {
  readonly withReserve: WithReserve;
  /** Leaves the reserve on the disk. */
  close(): Promise<void>;
}

/** A cancellation writes about 30 kB. The deletion of a model rewrites the pages of its versions, 1 to 4 kB each. */
export const RESERVE_BYTES = 4 * 2 ** 20;
const REFILL_AFTER_MS = 60_000;

/**
 * The reserve is the file `reserve` in the state directory. It is as large as the disk permits, up to `RESERVE_BYTES`.
 * @param refillAfterMs time until a reserve that is too small is enlarged
 */
export async function openSpaceReserve(
  directory: string,
  refillAfterMs = REFILL_AFTER_MS,
): Promise<SpaceReserve> {
  const file = join(directory, 'reserve');
  let timer: NodeJS.Timeout | undefined;
  /** Fills and uses run one after the other: otherwise a fill could take the space that a use has released. */
  const mutex = createSemaphore(1);

  async function fill(): Promise<void> {
    clearTimeout(timer);
    try {
      const size = await stat(file).then(
        (found) => found.size,
        () => 0,
      );
      // Random bytes occupy blocks even on file systems that compress. If the disk is too full, the part that fits remains.
      if (size < RESERVE_BYTES)
        await appendFile(file, Buffer.alloc(RESERVE_BYTES - size, randomBytes(2 ** 16)));
    } catch {
      // The disk is full, or the directory was removed.
      timer = setTimeout(() => void mutex.run(fill), refillAfterMs).unref();
    }
  }

  await fill();
  return {
    async withReserve(work) {
      try {
        return await work();
      } catch (error) {
        if (!hasCode(error, 'storage-full')) throw error;
      }
      return mutex.run(async () => {
        await rm(file, { force: true });
        try {
          return await work();
        } finally {
          await fill();
        }
      });
    },
    close: () => mutex.run(async () => clearTimeout(timer)),
  };
}
