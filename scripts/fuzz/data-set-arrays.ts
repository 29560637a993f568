/** Arrays of data sets, one of them mutated, in intact containers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openUpload } from '../../src/datasets/upload/open.ts';
import { datasetFieldsSchema } from '../../src/domain/datasets/upload-form.ts';
import type { RequestedShape } from '../../src/domain/image-shape.ts';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import { type Arrays, idx, npz, pair, whole } from './data-set-files.ts';
import { firstImage, fixtures } from './files.ts';
import type { Parser } from './input.ts';
import { pick, type Random } from './mutations.ts';

const MAX_BYTES = 2 ** 28;
const FIELDS = { ...datasetFieldsSchema.parse({}), testFraction: null };
/** Right and wrong for the flat arrays. */
const IMAGE_SHAPES: readonly RequestedShape[] = [
  'auto',
  [28, 28],
  [14, 56],
  [8, 8],
  [32, 32, 3],
  [3, 16, 49],
];
const GZIP = 0x1f;

/** Reads the arrays from files, as the data-set thread does. */
export function arraysOfDatasets(): Parser {
  let folder: string;
  return {
    files: [
      ...fixtures('npy', '.npy').filter((bytes) => bytes.length > 2 * firstImage.length),
      idx(pair.pixels, [2, 28, 28]),
      gzipSync(idx(pair.pixels, [2, 28, 28, 1])),
      npyBytes(pair.pixels, [2, 14, 56]),
      npyBytes(pair.pixels.subarray(0, 2 * 768), [2, 3, 16, 16]),
      whole.train_labels,
      npyBytes(Float64Array.from(pair.labels), [2, 1]),
      idx(pair.labels, [2]),
    ],
    async open() {
      folder = mkdtempSync(join(tmpdir(), 'atelier-fuzz-'));
    },
    async parse(bytes, random) {
      const uploaded = Object.entries(packed(bytes, random)).map(([part, file]) => {
        const path = join(folder, part);
        writeFileSync(path, file);
        return { part, path, bytes: file.length };
      });
      const fields = { ...FIELDS, imageShape: pick(random, IMAGE_SHAPES) };
      const opened = await openUpload({ files: uploaded, fields, maxBytes: MAX_BYTES });
      return opened.read(opened.chosen!, 0);
    },
    async close() {
      rmSync(folder, { recursive: true });
    },
  };
}

function packed(bytes: Uint8Array, random: Random): Arrays {
  // Labels are shorter than one image.
  const part = bytes.length < firstImage.length && bytes[0] !== GZIP ? 'train_labels' : 'train_images';
  switch (pick(random, ['not', 'not', 'gzip', 'stored', 'deflated'])) {
    case 'gzip':
      return { ...whole, [part]: gzipSync(bytes) };
    case 'stored':
      return { file: npz({ ...whole, [part]: bytes }, 0) };
    case 'deflated':
      return { file: npz({ ...whole, [part]: bytes }, 6) };
    default:
      return { ...whole, [part]: bytes };
  }
}
