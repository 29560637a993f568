/** Pictures of the Try screen as numbers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BRUSHES,
  type Brush,
  blank,
  draw,
  fromRows,
  remedyFor,
  toRows,
} from '../../page/screens/try/picture.ts';

const GREY_ROWS = [
  [1, 2, 3],
  [4, 5, 6],
];
const COLOUR_ROWS = [
  [
    [1, 2, 3],
    [4, 5, 6],
  ],
  [
    [7, 8, 9],
    [10, 11, 12],
  ],
  [
    [13, 14, 15],
    [16, 17, 18],
  ],
];

test('rows become pictures and pictures become rows, in grey and in colour', () => {
  assert.deepEqual(fromRows(GREY_ROWS), { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] });
  assert.deepEqual(fromRows(COLOUR_ROWS).shape, [3, 2, 3]);
  for (const rows of [GREY_ROWS, COLOUR_ROWS]) assert.deepEqual(toRows(fromRows(rows)), rows);
  assert.deepEqual(toRows(blank([1, 2, 3])), [
    [
      [0, 0, 0],
      [0, 0, 0],
    ],
  ]);
});

/** The sum of what a dot in the middle of a pixel, or between two, inks. */
const inked = (side: number, brush: Brush, x: number) =>
  draw(blank([side, side]), { x, y: 4.5 }, { x, y: 4.5 }, brush).values.reduce(
    (sum, value) => sum + value,
    0,
  );

test('the brushes differ in pictures of every size, and leave ink between pixels as well', () => {
  for (const side of [8, 20, 28, 64]) {
    const [fine, medium, broad] = (['fine', 'medium', 'broad'] as const).map((brush) =>
      inked(side, brush, 4),
    );
    assert.ok(fine! > 50 && fine! < medium! && medium! < broad!, `${side}: ${fine}, ${medium}, ${broad}`);
  }
  // A radius of 1.2 pixels, and an edge of as much.
  const { values } = draw(blank([28, 28]), { x: 14.5, y: 14.5 }, { x: 14.5, y: 14.5 }, 'medium');
  assert.deepEqual(values.slice(14 * 28 + 12, 14 * 28 + 17), [0, 170, 255, 170, 0]);
});

test('the eraser removes ink and adds none', () => {
  const white = { shape: [8, 12], values: new Array(96).fill(255) } as const;
  const erased = draw(white, { x: 0, y: 4 }, { x: 12, y: 4 }, 'eraser');
  assert.ok(erased.values.includes(0) && erased.values.includes(255));
  assert.deepEqual(draw(blank([8, 12]), { x: 0, y: 4 }, { x: 12, y: 4 }, 'eraser'), blank([8, 12]));
  assert.deepEqual(Object.keys(BRUSHES), ['fine', 'medium', 'broad', 'eraser']);
});

test('remedies change colour pictures of any proportions pixel by pixel', () => {
  const values = blank([8, 10, 3]).values.map((_, i) => (i === 2 ? 50 : i === 3 * 11 + 2 ? 50 : 0));
  const picture = { shape: [8, 10, 3], values } as const;
  const centred = remedyFor('off-centre', picture)!.apply();
  assert.deepEqual(centred.shape, picture.shape);
  // Two blue pixels, at rows 0 and 1 and columns 0 and 1, around row 0.5 and column 0.5; the middle is 3.5 and 4.5.
  const blue = [3, 4].map((row) => 3 * (row * 10 + row + 1) + 2);
  assert.deepEqual(
    [...centred.values.entries()].filter(([, value]) => value > 0),
    blue.map((at) => [at, 50]),
  );
  assert.equal(remedyFor('unscaled', picture)!.name, '×5');
  assert.deepEqual(remedyFor('inverted', picture)!.apply().values.slice(0, 4), [255, 255, 205, 255]);
  const square = { shape: [2, 2], values: [1, 2, 3, 4] } as const;
  assert.deepEqual(remedyFor('transposed', square)!.apply().values, [1, 3, 2, 4]);
  assert.equal(remedyFor('far', square), null);
});
