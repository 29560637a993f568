import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnRows, isTableRow, recordRows, splitRows } from '../../../src/protocols/mlflow/dataframe.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

test('rows of a table are images, or hold one', () => {
  assert.deepEqual(
    splitRows({
      columns: ['a', 'b'],
      data: [
        [1, 2],
        [3, 4],
      ],
    }),
    [
      [1, 2],
      [3, 4],
    ],
  );
  assert.deepEqual(splitRows({ data: [['data:'], [[1, 2]], [5]] }), ['data:', [1, 2], [5]]);
  assert.deepEqual(
    recordRows(
      [
        { a: 1, b: 2 },
        { b: 4, a: 3 },
      ],
      '#/r',
    ),
    [
      [1, 2],
      [3, 4],
    ],
  );
  assert.deepEqual(recordRows([{ image: 'data:' }], '#/r'), ['data:']);
  assert.deepEqual(columnRows({ a: [1, 3], b: [2, 4] }, '#/c'), [
    [1, 2],
    [3, 4],
  ]);
});

test('an object of several fields is a row of a table', () => {
  assert.deepEqual([{ a: 1, b: 2 }, { a: 1 }, [1, 2], 1].map(isTableRow), [true, false, false, false]);
});

for (const [read, message] of [
  [() => splitRows({ data: [[1], 2] }), '#/dataframe_split/data/1 must be an array, one row of the table.'],
  [
    () => splitRows({ columns: ['a'], data: [[1], [1, 2]] }),
    '#/dataframe_split/data/1 has 2 cells; the table has 1 columns.',
  ],
  [() => recordRows([{ a: 1 }, 2], '#/r'), '#/r/1 must be an object, one row of the table.'],
  [() => recordRows([1], '#/r'), '#/r/0 must be an object, one row of the table.'],
  [() => recordRows([{ a: 1 }, { a: 1, b: 2 }], '#/r'), '#/r/1 has 2 columns; the first row has 1.'],
  [() => recordRows([{ a: 1 }, { b: 1 }], '#/r'), '#/r/1 must have the same columns as the first row.'],
  [() => columnRows({ a: [1], b: 2 }, '#/c'), '#/c/b must be an array, one column of the table.'],
  [() => columnRows({ a: [1], b: [1, 2] }, '#/c'), '#/c/b has 2 cells, but the first column has 1.'],
] as const) {
  test(`rejects a table: ${message}`, () => {
    assert.throws(read, (error) => {
      assert.ok(isAtelierError('invalid-request')(error));
      assert.equal((error as Error).message, message);
      return true;
    });
  });
}
