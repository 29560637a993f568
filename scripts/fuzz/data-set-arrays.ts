/** Arrays of data sets, one of them mutated, in intact containers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { checkUpload } from '../../src/datasets/upload/check.ts';
import { IMAGE_PIXELS } from '../../src/domain/datasets/representation.ts';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import { type Arrays, idx, npz, pair, whole } from './data-set-files.ts';
import { fixtures } from './files.ts';
import type { Parser } from './input.ts';
import { pick, type Random } from './mutations.ts';

const MAX_BYTES = 2 ** 28;
const FIELDS = { classNames: null, testFraction: null, seed: 0 };
const GZIP = 0x1f;

/** Reads the arrays from files, as the data-set thread does. */
export function arraysOfDatasets(): Parser {
  let folder: string;
  return {
    files: [
      ...fixtures('npy', '.npy').filter((bytes) => bytes.length > 2 * IMAGE_PIXELS),
      idx(pair.pixels, [2, 28, 28]),
      gzipSync(idx(pair.pixels, [2, 28, 28, 1])),
      whole.train_labels,
      npyBytes(Float64Array.from(pair.labels), [2, 1]),
      idx(pair.labels, [2]),
    ],
    async open() {
      folder = mkdtempSync(join(tmpdir(), 'atelier-fuzz-'));
    },
    parse(bytes, random) {
      const uploaded = Object.entries(packed(bytes, random)).map(([part, file]) => {
        const path = join(folder, part);
        writeFileSync(path, file);
        return { part, path, bytes: file.length };
      });
      return checkUpload(uploaded, FIELDS, MAX_BYTES);
    },
    async close() {
      rmSync(folder, { recursive: true });
    },
  };
}

function packed(bytes: Uint8Array, random: Random): Arrays {
  // Labels are shorter than one image.
  const part = bytes.length < IMAGE_PIXELS && bytes[0] !== GZIP ? 'train_labels' : 'train_images';
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
