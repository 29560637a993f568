/** Files named on the command line. */
import { openAsBlob } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { UsageError } from './errors.ts';

/** Reads a text file; `-` is the standard input. @throws UsageError if it cannot be read */
export async function readText(path: string): Promise<string> {
  if (path === '-') return text(process.stdin);
  return readFile(path, 'utf8').catch((error) => unreadable(path, error));
}

/** Opens a file to be sent without holding it in memory. @throws UsageError if it cannot be read */
export async function openFile(path: string): Promise<Blob> {
  return openAsBlob(path).catch((error) => unreadable(path, error));
}

/**
 * Builds the form of an upload.
 * @param files path, or `part=path`; the part is `file` by default
 * @param fields `name=value`
 * @throws UsageError for a file that cannot be read, or a field without `=`
 */
export async function buildForm(files: readonly string[], fields: readonly string[]): Promise<FormData> {
  const form = new FormData();
  // Fields first: a server that reads the form as a stream then has them before the files.
  for (const field of fields) {
    const [, name, value] = /^(\w+)=(.*)$/s.exec(field) ?? [];
    if (name === undefined) throw new UsageError(`--field must be name=value, but is "${field}".`);
    form.append(name, value!);
  }
  for (const file of files) {
    const [, part = 'file', path] = /^(?:(\w+)=)?(.+)$/s.exec(file) ?? [];
    if (path === undefined) throw new UsageError('The name of a file is empty.');
    form.append(part, await openFile(path), basename(path));
  }
  return form;
}

function unreadable(path: string, error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === 'ENOENT' ? 'does not exist' : `cannot be read: ${message}`;
  throw new UsageError(`The file ${path} ${reason}.`);
}
