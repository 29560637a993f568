import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countElements, readNested } from '../../../src/formats/json/nested-numbers.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

test('reads nested arrays row by row', () => {
  for (const [data, shape, values] of [
    [
      [[[1, 2, 3]], [[4, 5, 6]]],
      [2, 1, 3],
      [1, 2, 3, 4, 5, 6],
    ],
    [[0.5, -1], [2], [0.5, -1]],
    [[[], []], [2, 0], []],
    [[], [0], []],
  ] as const) {
    assert.deepEqual(readNested(data, '#/x'), { shape, values: Float64Array.from(values) });
  }
});

test('counts the elements of a shape', () => {
  assert.deepEqual([[], [3], [2, 0], [2, 3, 4]].map(countElements), [1, 3, 0, 24]);
});

for (const [data, pointer, defect] of [
  [undefined, '#/x', 'is missing; an array of numbers is required'],
  [null, '#/x', 'is null; an array of numbers is required'],
  [{}, '#/x', 'is an object; an array of numbers is required'],
  ['1', '#/x', 'is a string; an array of numbers is required'],
  [[1, [2]], '#/x/1', 'is an array; a number is required'],
  [
    [
      [1, 2],
      [3, null],
    ],
    '#/x/1/1',
    'is null; a number is required',
  ],
  [[[1, 2], [3]], '#/x/1', 'has 1 elements, but must be an array of 2 elements, like the first'],
  [[[1], 2], '#/x/1', 'is a number, but must be an array of 1 elements, like the first'],
  [
    [
      [[1], [2]],
      [[3], [4, 5]],
    ],
    '#/x/1/1',
    'has 2 elements, but must be an array of 1 elements, like the first',
  ],
] as const) {
  test(`rejects ${JSON.stringify(data)} at ${pointer}`, () => {
    assert.throws(
      () => readNested(data, '#/x'),
      isAtelierError('invalid-request', new RegExp(`^${pointer} ${defect}\\.$`), pointer),
    );
  });
}
