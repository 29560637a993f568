/** Folders as tar archives that are packed while they are sent. */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { packTar, type TarSource } from 'modern-tar/fs';
import { UsageError } from '../errors.ts';
import { unreadable } from '../files.ts';

/** The same files give the same bytes, so that a repeated upload is recognised. */
const TIME = new Date(0);

interface PackedFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
}

export interface Folder {
  /** In the order of their names. */
  readonly files: readonly PackedFile[];
  /** Number of files that are not packed. */
  readonly leftOut: { readonly hidden: number; readonly links: number };
}

/** @throws UsageError for a folder without files */
export async function listFolder(folder: string): Promise<Folder> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error) =>
    unreadable(folder, error),
  );
  const entries = found.map((entry) => {
    const path = join(entry.parentPath, entry.name);
    return { entry, path, name: relative(folder, path).replaceAll(sep, '/') };
  });
  const [hidden, visible] = [[] as typeof entries, [] as typeof entries];
  for (const each of entries) {
    if (!each.entry.isDirectory()) (/(^|\/)\./.test(each.name) ? hidden : visible).push(each);
  }
  // Links are not followed: they could lead out of the folder, or in a circle.
  const regular = visible.filter(({ entry }) => entry.isFile());
  if (regular.length === 0) throw new UsageError(`The folder ${folder} has no files.`);
  const files = await Promise.all(
    regular.map(async ({ path, name }) => ({ path, name, bytes: (await stat(path)).size })),
  );
  return {
    files: files.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    leftOut: {
      hidden: hidden.length,
      links: visible.filter(({ entry }) => entry.isSymbolicLink()).length,
    },
  };
}

/** @param onRead called with the number of bytes of each part that is read */
export function packFolder({ files }: Folder, onRead: (bytes: number) => void): Readable {
  const sources = files.map(({ path, name, bytes }): TarSource => {
    const entry = { target: name, mtime: TIME, mode: 0o644 };
    if (bytes === 0) return { type: 'content', content: null, ...entry };
    // Each file is opened when its turn comes.
    return { type: 'stream', content: Readable.from(read(path, onRead)), size: bytes, ...entry };
  });
  return packTar(sources);
}

export async function* read(path: string, onRead: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
    onRead(chunk.length);
    yield chunk;
  }
}
