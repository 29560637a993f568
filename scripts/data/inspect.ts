/** What is in the data folder already. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NPY_MAX_HEADER_BYTES, readNpyHeader } from '../../src/formats/npy-header.ts';
import { type DataFile, FILES, isOfficial } from './files.ts';

export interface FoundFile {
  readonly file: DataFile;
  readonly path: string;
  /** Why it cannot be used as it is; nothing where it is a whole .npy file. */
  readonly defect?: string;
}

/** Reads headers only: `npm start` waits for it. */
export function inspect(directory: string): Promise<FoundFile[]> {
  return Promise.all(
    FILES.map(async (file) => {
      const path = join(directory, file.npy);
      const defect = await findDefect(path);
      return defect === undefined ? { file, path } : { file, path, defect };
    }),
  );
}

async function findDefect(path: string): Promise<string | undefined> {
  try {
    await using handle = await open(path);
    const { size } = await handle.stat();
    const start = Buffer.alloc(Math.min(size, NPY_MAX_HEADER_BYTES + 12));
    await handle.read(start, 0, start.length, 0);
    readNpyHeader(start, size);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Only an absent or damaged file may be written anew; one that cannot be read is for its owner to look at.
    if (code === 'ENOENT') return 'missing';
    if (code === 'malformed-body') return `damaged (${message.replace(/\.$/, '')})`;
    throw new Error(`${path} cannot be read: ${message}`, { cause: error });
  }
}

/** Whether a whole file holds Fashion-MNIST's own bytes, by whoever it was written. */
export async function holdsOriginal({ file, path }: FoundFile): Promise<boolean> {
  const bytes = await readFile(path);
  const { dtype, fortranOrder, dataOffset, shape } = readNpyHeader(bytes);
  // Of one dimension both orders are the same; of images in Fortran order the bytes differ.
  if (dtype !== 'u1' || (fortranOrder && shape.length > 1)) return false;
  return isOfficial(file, bytes.subarray(dataOffset));
}
