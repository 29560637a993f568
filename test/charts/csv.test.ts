import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toCsvCell } from '../../src/charts/csv.ts';

test('text that a spreadsheet would evaluate gets an apostrophe', () => {
  const texts = ['=1+1', '+SUM(A1)', '-2+3', '-', '@home', '＝1', '\t=1+1', '\t1'];
  for (const text of texts) assert.equal(toCsvCell(text), `'${text}`);
  assert.equal(toCsvCell('\r=1'), `"'\r=1"`);
  assert.equal(toCsvCell('\n=1'), `"'\n=1"`);
});

test('numbers, other text and missing values stay as they are', () => {
  const cells: readonly [value: unknown, cell: string][] = [
    [-1.5, '-1.5'],
    [1e-7, '1e-7'],
    [true, 'true'],
    [null, ''],
    [undefined, ''],
    ['-1.5', '-1.5'],
    ['+3', '+3'],
    ['T-shirt', 'T-shirt'],
    ['', ''],
  ];
  for (const [value, cell] of cells) assert.equal(toCsvCell(value), cell);
});

test('text with a comma, a quote or a line end is quoted, and structures are JSON', () => {
  assert.equal(toCsvCell('a,"b"'), '"a,""b"""');
  assert.equal(toCsvCell('+a,"b"'), `"'+a,""b"""`);
  assert.equal(toCsvCell([64, 32]), '"[64,32]"');
});
