/** Files named on the command line. */
import { openAsBlob } from 'node:fs';
import { access, constants, readFile, stat } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { UsageError } from './errors.ts';

/** Reads a text file; `-` is the standard input. @throws UsageError if it cannot be read */
export async function readText(path: string): Promise<string> {
  if (path === '-') return text(process.stdin);
  return readFile(path, 'utf8').catch((error) => unreadable(path, error));
}

/** Opens a file to be sent. @throws UsageError if it cannot be read */
export async function openFile(path: string): Promise<Blob> {
  // openAsBlob accepts folders, and reports no reason.
  const found = await stat(path).catch((error) => unreadable(path, error));
  if (!found.isFile()) throw new UsageError(`${path} is not a file.`);
  await access(path, constants.R_OK).catch((error) => unreadable(path, error));
  return openAsBlob(path);
}

/** @throws UsageError with the reason */
export function unreadable(path: string, error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === 'ENOENT' ? 'does not exist' : `cannot be read: ${message}`;
  throw new UsageError(`The file ${path} ${reason}.`);
}
