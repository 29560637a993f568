/** Inspection of the files in the data folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NPY_HEAD_BYTES, readNpyHeader } from '../../src/formats/arrays/npy-header.ts';
import { openRegularFile } from '../../src/formats/regular-file.ts';
import { type DataFile, FILES, isOfficial } from './files.ts';

export interface FoundFile {
  readonly file: DataFile;
  readonly path: string;
  /** Why the file cannot be used; undefined if it is a valid .npy file. */
  readonly defect?: string;
}

/** Reads headers only, because `npm start` waits for it. */
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
    await using handle = await openRegularFile(path);
    const { size } = await handle.stat();
    const start = Buffer.alloc(Math.min(size, NPY_HEAD_BYTES));
    await handle.read(start, 0, start.length, 0);
    readNpyHeader(start, size);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Only missing or damaged files may be replaced; the user must look at unreadable ones.
    if (code === 'ENOENT') return 'missing';
    if (code === 'malformed-body') return `damaged (${message.replace(/\.$/, '')})`;
    throw new Error(`${path} cannot be read: ${message}`, { cause: error });
  }
}

/** Whether a valid file holds the bytes of Fashion-MNIST. */
export async function holdsOriginal({ file, path }: FoundFile): Promise<boolean> {
  const bytes = await readFile(path);
  const { dtype, fortranOrder, dataOffset, shape } = readNpyHeader(bytes);
  // Both orders are the same for one dimension; images in Fortran order have other bytes.
  if (dtype !== 'u1' || (fortranOrder && shape.length > 1)) return false;
  return isOfficial(file, bytes.subarray(dataOffset));
}
