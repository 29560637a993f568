/** Opens files only: a named pipe would be open only once something writes to it, and the process could not end before. */
import { type FileHandle, open, stat } from 'node:fs/promises';

/** @throws RangeError if the path is that of something else than a file */
export async function openRegularFile(path: string): Promise<FileHandle> {
  if (!(await stat(path)).isFile()) throw new RangeError('it is not a regular file');
  return open(path);
}
