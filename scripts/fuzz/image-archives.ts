/** Archives of images in class folders, mutated as a whole or in one of their images. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import type { UploadedFile } from '../../src/datasets/upload/form.ts';
import { openUpload } from '../../src/datasets/upload/open.ts';
import { datasetFieldsSchema, NPZ_PART } from '../../src/domain/datasets/upload-form.ts';
import { pictures } from './files.ts';
import type { Parser } from './input.ts';
import { pick } from './mutations.ts';

const MAX_BYTES = 2 ** 26;
const MAX_PIXELS = 2 ** 20;
const FIELDS = { ...datasetFieldsSchema.parse({}), testFraction: 0.5 };

async function read(files: readonly UploadedFile[]) {
  const opened = await openUpload({ files, fields: FIELDS, maxBytes: MAX_BYTES });
  return opened.read(opened.chosen ?? (await opened.choose(MAX_PIXELS)), MAX_PIXELS);
}

/** Reads the archives as the data-set thread does. */
export async function imageArchives(): Promise<Parser> {
  const folder = mkdtempSync(join(tmpdir(), 'atelier-fuzz-'));
  const images = await pictures();
  const files: Record<string, Uint8Array> = {};
  for (const [n, bytes] of images.entries()) for (const name of ['a', 'b']) files[`${name}/${n}.png`] = bytes;
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(join(folder, 'set', path.slice(0, 1)), { recursive: true });
    writeFileSync(join(folder, 'set', path), bytes);
  }
  const tars = ['gnu', 'pax'].map((format) =>
    execFileSync('tar', ['-C', join(folder, 'set'), `--format=${format}`, '-cf', '-', '.'], {
      maxBuffer: MAX_BYTES,
    }),
  );
  return {
    files: [zipSync(files), zipSync(files, { level: 0 }), ...tars],
    parse(bytes, random) {
      const archive = pick(random, [bytes, bytes, gzipSync(bytes, { level: 1 })]);
      const path = join(folder, 'upload');
      writeFileSync(path, archive);
      return read([{ part: NPZ_PART, path, bytes: archive.length }]);
    },
    async close() {
      rmSync(folder, { recursive: true });
    },
  };
}
