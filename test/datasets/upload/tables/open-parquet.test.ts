/** Tables of Parquet, which scripts/fixtures/parquet.mjs writes with parquet-rs and DuckDB. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { zipSync } from 'fflate';
import type { DatasetFields } from '../../../../src/domain/datasets/upload-form.ts';
import { isAtelierError } from '../../fixtures.ts';
import { check, type Files } from '../fixtures.ts';

const FOLDER = new URL('../../../fixtures/datasets/parquet/', import.meta.url);
const bytes = (name: string) => readFileSync(new URL(`${name}.parquet`, FOLDER));
const NAMES = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
/** The same digits as text. */
const LINES = readFileSync(new URL('../pixel-tables/digits.csv', FOLDER), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(','));
const HALF = { testFraction: 0.5 };
const HUB = ['train-00000-of-00002', 'train-00001-of-00002', 'test-00000-of-00001'];

async function read(t: TestContext, files: Files, fields: Partial<DatasetFields> = {}) {
  const upload = await check(t, files, { imageShape: [8, 8], invert: null, ...fields });
  const { tensors, classNames } = upload;
  const splits = [tensors.train, tensors.test].map(({ pixels, labels }) =>
    Array.from(
      labels,
      (label, n) => `${classNames[label]} ${pixels.subarray(64 * n, 64 * n + 64).join(' ')}`,
    ),
  );
  return { ...upload, rows: splits.flat().sort(), splits };
}

const rows = (name: (label: number) => string, lines = LINES) =>
  lines.map(([label, ...pixels]) => `${name(Number(label))} ${pixels.join(' ')}`).sort();

for (const name of [
  ...['uncompressed', 'gzip', 'brotli', 'zstd', 'lz4_raw', 'version-2'].map((kind) => `images-${kind}`),
  ...['list', 'lists-of-fractions', 'columns', 'duckdb-list', 'duckdb-images'],
]) {
  test(`reads ${name}.parquet`, async (t) => {
    const { rows: found, classNames } = await read(t, { file: bytes(name) }, HALF);
    assert.deepEqual(found, rows(String));
    assert.deepEqual(
      classNames,
      NAMES.map((_, label) => `${label}`),
    );
  });
}

test('an image keeps the place of its row', async (t) => {
  for (const name of ['columns', 'images-zstd']) {
    const parts = { train: bytes(name), test: bytes(name) };
    const { splits } = await read(t, parts);
    const expected = LINES.map(([label, ...pixels]) => `${label} ${pixels.join(' ')}`);
    assert.deepEqual(splits, [expected, expected]);
  }
});

for (const [what, pack] of [
  ['a zip without compression', (files: Files) => zipSync(files, { level: 0 })],
  ['a compressed zip', (files: Files) => zipSync(files)],
  [
    'a tar',
    () =>
      execFileSync('tar', ['-C', fileURLToPath(FOLDER), '-cf', '-', ...HUB.map((name) => `${name}.parquet`)]),
  ],
] as const) {
  test(`reads the files of the splits of a data hub in ${what}, and the names of its classes`, async (t) => {
    const files = Object.fromEntries(HUB.map((name) => [`data/${name}.parquet`, bytes(name)]));
    const { splits, classNames, report } = await read(t, {
      file: pack({ ...files, 'README.md': Buffer.from('---\n') }),
    });
    assert.deepEqual(classNames, NAMES);
    assert.deepEqual(
      splits.map(({ length }) => length),
      [45, 15],
    );
    assert.deepEqual(
      splits.map((split) => split.toSorted()),
      [LINES.slice(0, 45), LINES.slice(45)].map((lines) => rows((label) => NAMES[label]!, lines)),
    );
    assert.equal(report.archive!.layout, 'images in the column image.bytes');
  });
}

test('reads columns of bytes, texts and splits', async (t) => {
  const { splits, classNames } = await read(t, { file: bytes('bytes-and-texts') });
  assert.deepEqual(classNames, NAMES.toSorted());
  assert.deepEqual(
    splits[1]!.toSorted(),
    rows((label) => NAMES[label]!, LINES.slice(45)),
  );
});

test('classNames gives the order of texts', async (t) => {
  const { classNames, rows: found } = await read(
    t,
    { file: bytes('bytes-and-texts') },
    { classNames: NAMES },
  );
  assert.deepEqual([classNames, found], [NAMES, rows((label) => NAMES[label]!)]);
});

const plain = bytes('images-uncompressed');
/** A copy with other bytes at the first place of a text. */
function patched(from: string, to: string | Uint8Array, file = plain): Buffer {
  const copy = Buffer.from(file);
  const at = copy.indexOf(from, 0, 'latin1');
  assert.ok(at > 0);
  copy.set(typeof to === 'string' ? Buffer.from(to, 'latin1') : to, at);
  return copy;
}

for (const [what, file, message, fields] of [
  [
    'an encoding whose length is not bounded',
    bytes('duckdb-version-2'),
    /encoding DELTA_BINARY_PACKED, which is not read/,
    HALF,
  ],
  ['no test images', plain, /no test images; send the files as train and test, or send testFraction/, {}],
  ['a cut file', plain.subarray(0, -9), /is truncated: its footer is missing/, HALF],
  ['a cut beginning', Buffer.concat([plain.subarray(0, 4), plain.subarray(2000)]), /Part file: /, HALF],
  [
    'no column of labels',
    bytes('list'),
    /no column "kind" of numbers or texts.*"pixels", "label"/,
    { ...HALF, labelColumn: 'kind' },
  ],
  [
    'no column of images',
    bytes('list'),
    /no column "image" of images, which fileColumn names/,
    { ...HALF, fileColumn: 'image' },
  ],
  [
    'a split that is unknown',
    patched('train', 'later', bytes('bytes-and-texts')),
    /has the split "later"; allowed: train/,
    {},
  ],
  ['an image that is damaged', patched('IHDR', 'IHDX'), /"file row 0000\d\d" \(.*\).*damaged=skip/, HALF],
  [
    'a class without a name',
    patched('"eight","nine"', '"eight"       ', bytes('train-00000-of-00002')),
    /row \d+ of "file" has the label 9, but there are 9 names of classes/,
    HALF,
  ],
] as const satisfies (readonly [string, Uint8Array, RegExp, Partial<DatasetFields>])[]) {
  test(`rejects ${what}`, async (t) => {
    await assert.rejects(read(t, { file }, fields), isAtelierError('invalid-dataset-file', message));
  });
}

test('leaves out damaged images if asked to', async (t) => {
  const { report, rows: found } = await read(
    t,
    { file: patched('IHDR', 'IHDX') },
    { ...HALF, damaged: 'skip' },
  );
  assert.equal(report.archive!.damaged!.images, 1);
  assert.equal(found.length, LINES.length - 1);
});
