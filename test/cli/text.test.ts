import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFigure, formatShape, formatTable, formatTime, printable } from '../../cli/text.ts';

test('aligns the columns of a table by their longest cells, without spaces at the ends', () => {
  const rows = [
    ['NAME', 'N'],
    ['a', '100'],
    ['longer', '\u001B[2J'],
  ];
  assert.equal(formatTable(rows), 'NAME    N\na       100\nlonger  \uFFFD[2J');
  assert.equal(formatTable([]), '');
});

test('shows figures with four decimals, shapes, and times to the second', () => {
  assert.deepEqual([0.5, 2 / 3, 0, null, undefined].map(formatFigure), [
    '0.5000',
    '0.6667',
    '0.0000',
    '-',
    '-',
  ]);
  assert.equal(formatShape([32, 20, 3]), '32×20×3');
  assert.equal(formatTime('2026-11-24T23:52:10.123Z'), '2026-11-24 23:52:10');
  assert.equal(formatTime(null), '-');
  assert.equal(printable('a\r\u0000ä'), 'a\uFFFD\uFFFDä');
});

test('replaces characters that reorder bidirectional text, and keeps such text', () => {
  assert.equal(printable('\u202Egnp.exe\u2066\u061C שלום'), '\uFFFDgnp.exe\uFFFD\uFFFD שלום');
});
