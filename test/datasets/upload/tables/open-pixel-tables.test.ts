/** Tables of pixels. scripts/fixtures/pixel_tables.py writes some with NumPy. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import type { DatasetFields } from '../../../../src/domain/datasets/upload-form.ts';
import { isAtelierError } from '../../fixtures.ts';
import { check, type Files, images } from '../fixtures.ts';

const PIXELS = images(4, 2);
/** Eight by eight pixels of four images, of the classes 0 and 1 in turn. */
const ROWS = [0, 1, 2, 3].map((n) => [...PIXELS.subarray(n * 784, n * 784 + 64)]);
const HEADER = ['label', ...ROWS[0]!.map((_, i) => `pixel${i}`)].join();
const table = (
  row: (pixels: readonly number[], n: number) => readonly (string | number)[],
  separator = ',',
) => ROWS.map((pixels, n) => row(pixels, n).join(separator)).join('\n');
const plain = table((pixels, n) => [n % 2, ...pixels]);

async function read(
  t: TestContext,
  files: Readonly<Record<string, string | Uint8Array>>,
  fields: Partial<DatasetFields> = {},
) {
  const bytes: Files = Object.fromEntries(
    Object.entries(files).map(([part, text]) => [part, typeof text === 'string' ? strToU8(text) : text]),
  );
  const { tensors, classNames, imageShape, report } = await check(t, bytes, fields);
  const row = (pixels: Uint8Array, n: number) => [...pixels.subarray(64 * n, 64 * n + 64)];
  const all = [tensors.train, tensors.test].flatMap(({ pixels, labels }) =>
    Array.from(labels, (label, n) => `${classNames[label]} ${row(pixels, n)}`),
  );
  return { rows: all.sort(), imageShape, report };
}

const expected = ROWS.map((pixels, n) => `${n % 2} ${pixels}`).sort();
const HALF = { testFraction: 0.5 };

for (const [what, files, fields] of [
  ['with a header', { file: `${HEADER}\n${plain}\n` }, HALF],
  ['without a header', { file: plain }, HALF],
  [
    'with a byte order mark, quotes and Windows lines',
    { file: `\ufeff${plain.replaceAll(/\d+/g, '"$&"').replaceAll('\n', '\r\n')}\r\n` },
    HALF,
  ],
  [
    'as TSV with the labels last',
    { file: table((pixels, n) => [...pixels, n % 2], '\t') },
    { ...HALF, labelColumn: 'last' },
  ],
  [
    'with the index of pandas and a named column',
    { file: `,${HEADER.replace('label', 'kind')}\n${table((pixels, n) => [n, n % 2, ...pixels])}` },
    { ...HALF, labelColumn: 'kind' },
  ],
  ['compressed with gzip', { file: gzipSync(plain) }, HALF],
  [
    'of fractions from 0 to 1',
    { file: table((pixels, n) => [n % 2, ...pixels.map((value) => value / 255)]) },
    HALF,
  ],
  [
    'with a column of splits',
    { file: `${HEADER},split\n${table((pixels, n) => [n % 2, ...pixels, n < 2 ? 'train' : 'Testing'])}` },
    {},
  ],
  [
    'as a part for each split',
    { train: plain.split('\n').slice(0, 2).join('\n'), test: plain.split('\n').slice(2).join('\n') },
    {},
  ],
  [
    'as files of an archive',
    {
      file: zipSync({
        'x/mnist_train.csv': strToU8(plain.split('\n').slice(0, 2).join('\n')),
        'x/mnist_test.csv': strToU8(plain.split('\n').slice(2).join('\n')),
      }),
    },
    {},
  ],
] as const satisfies (readonly [
  string,
  Readonly<Record<string, string | Uint8Array>>,
  Partial<DatasetFields>,
])[]) {
  test(`reads a table ${what}`, async (t) => {
    const { rows, imageShape, report } = await read(t, files, fields);
    assert.deepEqual([rows, imageShape], [expected, [8, 8]]);
    assert.equal(report.arrays[0]!.format, 'csv');
  });
}

test('classes are texts in ascending order, or in that of classNames', async (t) => {
  const file = table((pixels, n) => [n % 2 ? 'ant' : 'bee', ...pixels]);
  const named = ROWS.map((pixels, n) => `${n % 2 ? 'ant' : 'bee'} ${pixels}`).sort();
  for (const classNames of [null, ['bee', 'ant']])
    assert.deepEqual((await read(t, { file }, { ...HALF, classNames })).rows, named);
});

test('reads the tables that NumPy wrote as it reads the arrays', async (t) => {
  const folder = new URL('../../../fixtures/datasets/pixel-tables/', import.meta.url);
  const bytes = (name: string) => readFileSync(new URL(name, folder));
  const arrays = await check(t, { file: bytes('digits.npz') }, HALF);
  for (const name of ['digits.csv', 'digits.tsv.gz']) {
    const { tensors } = await check(t, { file: bytes(name) }, HALF);
    for (const split of ['train', 'test'] as const)
      for (const kind of ['pixels', 'labels'] as const)
        assert.deepEqual(tensors[split][kind], arrays.tensors[split][kind]);
  }
});

for (const [what, file, message, fields] of [
  ['a row that is too long', `${plain},1`, /line 4 has 66 columns, but the first one has 65/],
  ['a row that is cut', plain.slice(0, -9), /line 4 has \d+ columns/],
  ['a text among the pixels', plain.replace(/,(\d+)$/, ',1x'), /line 4, column 65: "1x" is no number/],
  [
    'a formula',
    `${HEADER}\n${plain.replace(/,(\d+)$/, ',=1+1')}`,
    /line 5, column "pixel63": "=1\+1" is no number/,
  ],
  ['a pixel that is missing', plain.replace(/,\d+$/, ','), /line 4, column 65: "" is no number/],
  ['a pixel above 255', plain.replace(/,\d+$/, ',256'), /pixel \[1, 7, 7\] is 256|pixel \[3, 7, 7\] is 256/],
  ['a label that is missing', plain.replace(/^0/, ''), /line 1, column 1: the label is missing/],
  ['a formula as label', plain.replace(/^0/, '=0'), /line 1, column 1: a formula is no label/],
  ['an open quote', plain.replace(/^0/, '"0'), /line 1 has a quote that is never closed/],
  ['a long cell', plain.replace(/,\d+$/, `,${'1'.repeat(401)}`), /line 4 has a cell of more than 400 bytes/],
  [
    'an unknown split',
    `${HEADER},split\n${plain.replaceAll('\n', ',later\n')},later`,
    /line 2, column "split": "later" is no split; allowed/,
  ],
  [
    'only one value in its first column',
    table((pixels) => [7, ...pixels]),
    /first column is always "7".*labelColumn=last/,
  ],
  [
    'no column of labels',
    `${HEADER.replace('label', 'kind')}\n${plain}`,
    /no column is called label, .* labelColumn=kind/,
  ],
  [
    'other columns than the form names',
    `${HEADER}\n${plain}`,
    /has no column "kind", which labelColumn names/,
    { labelColumn: 'kind' },
  ],
  [
    'more columns than an image has',
    `${'0,'.repeat(13_000)}0\n`,
    /more than 12296 columns; an image has at most/,
  ],
  ['a first line that does not end', '0,'.repeat(2 ** 18), /an image has at most 12296/],
] as const satisfies (readonly [string, string, RegExp, Partial<DatasetFields>?])[]) {
  test(`rejects a table with ${what}`, (t) =>
    assert.rejects(
      read(t, { file }, { ...HALF, ...fields }),
      isAtelierError('invalid-dataset-file', message),
    ));
}

test('a text with few columns is no table of pixels', (t) =>
  assert.rejects(
    read(t, { file: 'a,b\n1,2\n' }, HALF),
    isAtelierError('invalid-dataset-file', /it is text, but must be/),
  ));

test('rows that take more than the limit are rejected before they are read', (t) =>
  assert.rejects(
    check(t, { file: strToU8(plain) }, HALF, 200),
    isAtelierError('invalid-dataset-file', /its images take more than 200 bytes, the limit/),
  ));
