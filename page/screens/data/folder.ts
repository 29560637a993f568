/** A chosen or dropped folder, and the tar archive of its files. */
import { createTarPacker } from 'modern-tar';

export interface Folder {
  readonly name: string;
  /** In the order of their paths, which are relative to the folder. Hidden files are left out. */
  readonly files: readonly { readonly path: string; readonly file: File }[];
  readonly bytes: number;
}

/** @param list of an input with `webkitdirectory`, not empty: each path begins with the name of the folder */
export function chosenFolder(list: FileList): Folder {
  const withoutTop = (path: string) => path.slice(path.indexOf('/') + 1);
  const files = [...list].map((file) => ({ path: withoutTop(file.webkitRelativePath), file }));
  return toFolder(list[0]!.webkitRelativePath.split('/', 1)[0]!, files);
}

/**
 * Call it while the event is handled: the entries are gone afterwards.
 * @returns undefined if no folder was dropped. Several dropped entries are the content of one folder
 */
export function droppedFolder({ items }: DataTransfer): Promise<Folder> | undefined {
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return entries.some(({ isDirectory }) => isDirectory) ? readDropped(entries) : undefined;
}

async function readDropped(entries: readonly FileSystemEntry[]): Promise<Folder> {
  const [first, ...others] = entries;
  if (others.length > 0) return toFolder('folders', await readAll(entries, ''));
  return toFolder(first!.name, await readAll(await readFolder(first as FileSystemDirectoryEntry), ''));
}

/** @param onProgress receives the fraction that is packed */
export async function packFolder(
  { name, files, bytes }: Folder,
  onProgress: (fraction: number) => void,
  signal: AbortSignal,
): Promise<File> {
  const { readable, controller } = createTarPacker();
  async function addFiles(): Promise<void> {
    let done = 0;
    for (const { path, file } of files) {
      // The same files give the same bytes, so that a repeated upload is recognised.
      const header = { name: path, size: file.size, type: 'file', mtime: new Date(0), mode: 0o644 } as const;
      await file.stream().pipeTo(controller.add(header), { signal });
      done += file.size;
      if (bytes > 0) onProgress(done / bytes);
    }
    controller.finalize();
  }
  // The browser moves a large blob from memory to disk.
  const [packed] = await Promise.all([new Response(readable).blob(), addFiles()]);
  signal.throwIfAborted();
  return new File([packed], `${name}.tar`);
}

type Files = Folder['files'];

function toFolder(name: string, found: Files): Folder {
  const files = found.filter(({ path }) => !/(^|\/)\./.test(path));
  return {
    name,
    files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    bytes: files.reduce((sum, { file }) => sum + file.size, 0),
  };
}

async function readAll(entries: readonly FileSystemEntry[], parent: string): Promise<Files> {
  const all = await Promise.all(
    entries.map(async (entry) => {
      const path = `${parent}${entry.name}`;
      if (entry.isDirectory) return readAll(await readFolder(entry as FileSystemDirectoryEntry), `${path}/`);
      const file = await new Promise<File>((resolve, reject) =>
        (entry as FileSystemFileEntry).file(resolve, reject),
      );
      return [{ path, file }];
    }),
  );
  return all.flat();
}

/** A reader returns a hundred entries at a time, and none at the end. */
async function readFolder(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}
