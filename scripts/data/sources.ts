/** Sources of the original files; `fill.ts` verifies their content. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadDebianPackage } from './debian-package.ts';
import { download } from './download.ts';
import type { DataFile } from './files.ts';
import type { SourceContext } from './source-context.ts';

export const PACKAGE = 'dataset-fashion-mnist';
const PACKAGE_FOLDER = 'usr/share/datasets/fashion-mnist';

export interface Source {
  readonly name: string;
  /** Opens the source and returns a function that reads one original, compressed or not. */
  open(context: SourceContext): Promise<(file: DataFile) => Promise<Uint8Array>>;
}

/** IDX files in a folder, with or without .gz. */
export function folderSource(name: string, folder: string): Source {
  return {
    name,
    open: async () => (file) =>
      readFile(join(folder, `${file.idx}.gz`))
        .catch(() => readFile(join(folder, file.idx)))
        .catch((cause) => {
          throw new Error(`${folder} has no readable ${file.idx}.gz`, { cause });
        }),
  };
}

const debianPackage: Source = {
  name: `Debian's package ${PACKAGE}, downloaded and unpacked, not installed`,
  async open(context) {
    context.say(`Downloading Debian's package ${PACKAGE} (31 MB) with apt-get …`);
    const root = await downloadDebianPackage(PACKAGE, await context.makeTemporary(), context);
    return folderSource('', join(root, PACKAGE_FOLDER)).open(context);
  },
};

export function downloadSource(baseUrl: string): Source {
  return {
    name: `the official download, ${baseUrl}`,
    open: async (context) => (file) => download(`${baseUrl}${file.idx}.gz`, context),
  };
}

export function allSources(directory: string): readonly Source[] {
  return [
    folderSource('IDX files in the data folder', directory),
    folderSource(`Debian's package ${PACKAGE}, installed`, join('/', PACKAGE_FOLDER)),
    debianPackage,
    downloadSource('http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/'),
  ];
}
