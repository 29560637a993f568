/** Tables of data sets, mutated as a whole: CSV and TSV, Parquet, CIFAR's records, and a CSV beside images. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import { openUpload } from '../../src/datasets/upload/open.ts';
import { datasetFieldsSchema } from '../../src/domain/datasets/upload-form.ts';
import { pictures } from './files.ts';
import type { Parser } from './input.ts';
import { pick } from './mutations.ts';

const MAX_BYTES = 2 ** 26;
const MAX_PIXELS = 2 ** 20;
const FIELDS = { ...datasetFieldsSchema.parse({}), testFraction: 0.5, damaged: 'skip' } as const;
const FIXTURES = new URL('../../test/fixtures/datasets/', import.meta.url);
const PARQUET = [
  ...['images-uncompressed', 'images-gzip', 'images-zstd', 'images-lz4_raw', 'images-version-2', 'columns'],
  ...[
    'train-00000-of-00002',
    'bytes-and-texts',
    'list',
    'lists-of-fractions',
    'duckdb-list',
    'duckdb-images',
  ],
];
/** Records of CIFAR-100: a coarse and a fine label, and 3 × 32 × 32 bytes. */
const CIFAR = { images: 8, bytes: 3074 };

/** Reads the tables as the data-set thread does. */
export async function tablesOfDatasets(): Promise<Parser> {
  const folder = mkdtempSync(join(tmpdir(), 'atelier-fuzz-'));
  const read = (name: string) => readFileSync(new URL(name, FIXTURES));
  const rows = read('pixel-tables/digits.csv').toString().split('\n').slice(0, 12).join('\n');
  const cifar = Uint8Array.from({ length: CIFAR.images * CIFAR.bytes }, (_, i) =>
    i % CIFAR.bytes < 2 ? Math.floor(i / CIFAR.bytes) % 2 : i % 251,
  );
  const images = await pictures();
  const beside = Object.fromEntries(images.map((bytes, n) => [`images/${n}.png`, bytes]));
  const table = `file,label,split\n${images.map((_, n) => `${n}.png,${'ab'[n % 2]},train`).join('\n')}\n`;
  return {
    files: [
      strToU8(rows),
      gunzipSync(read('pixel-tables/digits.tsv.gz')).subarray(0, 2 ** 11),
      cifar,
      zipSync({ ...beside, 'labels.csv': strToU8(table) }, { level: 0 }),
      ...PARQUET.map((name) => read(`parquet/${name}.parquet`)),
    ],
    async parse(bytes, random) {
      const isCifar = bytes.length > CIFAR.bytes && bytes[0]! < 2;
      const file = isCifar ? bytes : pick(random, [bytes, bytes, gzipSync(bytes, { level: 1 })]);
      const path = join(folder, 'upload');
      writeFileSync(path, file);
      const files = [{ part: isCifar ? 'train' : 'file', path, bytes: file.length }];
      const opened = await openUpload({ files, fields: FIELDS, maxBytes: MAX_BYTES });
      return opened.read(opened.chosen ?? (await opened.choose(MAX_PIXELS)), MAX_PIXELS);
    },
    async close() {
      rmSync(folder, { recursive: true });
    },
  };
}
