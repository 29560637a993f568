import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CELL_BYTES,
  type CsvHeader,
  MAX_NUMBERS,
  MIN_ROW_BYTES,
  readCsv,
} from '../../../src/protocols/mlflow/csv-table.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

/** Four numbers, as no image of a model has so few. */
const SHAPE = [2, 2] as const;
const read = (text: string, header?: CsvHeader) => readCsv(Buffer.from(text), header, SHAPE);

for (const [what, text, values] of [
  ['line ends of Unix', '1,2,3,4\n5,6,7,8\n', [1, 2, 3, 4, 5, 6, 7, 8]],
  ['line ends of Windows, and empty lines', '1,2,3,4\r\n\r\n5,6,7,8', [1, 2, 3, 4, 5, 6, 7, 8]],
  ['a mark of UTF-8, spaces and quotes', '\ufeff 1 ,"2", .5 ,-4e+1\n', [1, 2, 0.5, -40]],
  ['names of columns', 'a,b,c,d\n1,2,3,4', [1, 2, 3, 4]],
  ['names that pandas counts', '0,1,2,3\n5,6,7,8', [5, 6, 7, 8]],
  ['a first row that resembles neither', '0,1,2,4\n5,6,7,8', [0, 1, 2, 4, 5, 6, 7, 8]],
] as const) {
  test(`reads a table with ${what}`, () => {
    assert.deepEqual(read(text), { shape: [values.length / 4, 4], values: Float64Array.from(values) });
  });
}

test('a declared header is believed', () => {
  assert.deepEqual(Array.from(read('1,2,3,4\n5,6,7,8', 'present').values), [5, 6, 7, 8]);
  assert.deepEqual(Array.from(read('0,1,2,3\n5,6,7,8', 'absent').values), [0, 1, 2, 3, 5, 6, 7, 8]);
});

test('a table may be larger than what is reserved first', () => {
  const rows = Array.from({ length: 1000 }, (_, n) => [n, 0, 0, 9]);
  const { shape, values } = read(rows.join('\n'), 'absent');
  assert.deepEqual(shape, [1000, 4]);
  assert.deepEqual(Array.from(values), rows.flat());
});

test('a row may be as long as the limit', () => {
  assert.deepEqual([MIN_ROW_BYTES, CELL_BYTES, MAX_NUMBERS], [65_536, 32, 16_777_216]);
  const row = (bytes: number) => `1,2,3,${'4'.padStart(bytes - 6)}`;
  assert.deepEqual(read(`${row(65_536)}\n1,2,3,4`).shape, [2, 4]);
  const long = isAtelierError('malformed-body', /as CSV: a row is longer than 65536 bytes\.$/);
  assert.throws(() => read(row(65_538)), long);
  assert.throws(() => read(`1,2,3,4\n${row(65_538)}`), long);
  // Line ends within quotes, and single ones after a pair, do not end a row.
  assert.throws(() => read(`"${'\n'.repeat(65_537)}"`), long);
  assert.throws(() => read(`1,2,3,4\r\n${'\n'.repeat(65_538)}`), long);
  // A pair does: 8,000 rows have 72,000 bytes.
  assert.deepEqual(read('1,2,3,4\r\n'.repeat(8000)).shape, [8000, 4]);
});

const columns = (count: number, step = 1) => Array.from({ length: count }, (_, n) => 5 + step * n).join();
for (const [what, text, code, message] of [
  [
    'a cell that is not a number',
    '1,2,3,4\n5,x,7,8',
    'malformed-body',
    'The body cannot be read as CSV: row 2, column 2 is "x", not a number.',
  ],
  [
    'an empty cell',
    '1,2,,4',
    'malformed-body',
    'The body cannot be read as CSV: row 1, column 3 is "", not a number.',
  ],
  [
    'rows of several lengths',
    '1,2,3,4\n5,6,7',
    'malformed-body',
    'The body cannot be read as CSV: its rows differ in the number of columns.',
  ],
  [
    'an open quote',
    '1,2,3,"4',
    'malformed-body',
    'The body cannot be read as CSV: a quoted cell is not closed.',
  ],
  [
    'a quote within a cell',
    '1,2"3,4,5',
    'malformed-body',
    'The body cannot be read as CSV: its syntax is invalid.',
  ],
  ['nothing', '', 'malformed-body', 'The body cannot be read as CSV: it has no row of numbers.'],
  ['names alone', 'a,b,c,d', 'malformed-body', 'The body cannot be read as CSV: it has no row of numbers.'],
  [
    'semicolons',
    '1;2;3;4',
    'malformed-body',
    'The body cannot be read as CSV: its cells are separated by semicolons or tabs; separate them by commas.',
  ],
  [
    'an index',
    '1,2,3,4,5',
    'invalid-image-size',
    'The table has 5 columns, but an image of 2×2 has 4 numbers. Write it without an index, as pandas does with index=False.',
  ],
  [
    'few columns',
    '1,2,3',
    'invalid-image-size',
    'The table has 3 columns, but an image of 2×2 has 4 numbers.',
  ],
  [
    'numbers as names',
    columns(257),
    'malformed-body',
    'The body cannot be read as CSV: its first row has 257 different whole numbers. They are names of columns, not pixels. Declare it with the content type text/csv; header=present. Columns are read in the order of the file.',
  ],
  [
    '256 different numbers',
    columns(256),
    'invalid-image-size',
    'The table has 256 columns, but an image of 2×2 has 4 numbers.',
  ],
  [
    'a number twice',
    `5,${columns(257)}`,
    'invalid-image-size',
    'The table has 258 columns, but an image of 2×2 has 4 numbers.',
  ],
] as const) {
  test(`rejects a table with ${what}`, () => {
    assert.throws(
      () => read(text),
      (error) => {
        assert.ok(isAtelierError(code)(error));
        assert.equal((error as Error).message, message);
        return true;
      },
    );
  });
}
