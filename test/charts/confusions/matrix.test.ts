import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawConfusion } from '../../../src/charts/confusions/matrix.ts';
import { listElements, SMALL } from '../elements.ts';

/** Elements of a matrix of ones. A chart with single-digit names is 68 pixels higher than its rows. */
function ones(classes: number, rowHeight: number): string {
  const row = new Array<number>(classes).fill(1);
  const input = { subtitle: '', classNames: row.map(() => '0'), matrix: row.map(() => row) };
  return listElements(drawConfusion(input, { ...SMALL, width: 1000, height: 68 + classes * rowHeight }));
}

test('neighbouring mistakes of the same shade are one line, which the correct cell divides', () => {
  const matrix = [
    [6, 1, 1],
    [1, 6, 1],
    [1, 1, 6],
  ];
  const elements = listElements(drawConfusion({ subtitle: '', classNames: ['0', '1', '2'], matrix }, SMALL));
  // Roots of 6/8 and 1/8, rounded up to sixteenths: 14 and 6 of them.
  assert.match(elements, /path d=M0 0h1M1 1h1M2 2h1 stroke=accent stroke-opacity=0\.88>/);
  assert.match(elements, /path d=M1 0h2M0 1h1M2 1h1M0 2h2 stroke=error stroke-opacity=0\.38>/);
});

test('lines between cells are drawn for up to 30 classes, numbers for up to 20', () => {
  const parts = (classes: number) => [/stroke=grid/, /font-size/].map((part) => part.test(ones(classes, 20)));
  assert.deepEqual([20, 21, 30, 31].map(parts), [
    [true, true],
    [true, false],
    [true, false],
    [false, false],
  ]);
});

test('numbers are 2 pixels lower than their cell, and left out below 7 pixels', () => {
  assert.match(ones(3, 9), /font-size=7>/);
  assert.doesNotMatch(ones(3, 8.9), /font-size/);
});
