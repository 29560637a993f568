import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toPage } from '../../../src/store/database/pagination.ts';

test('a page has at most as many items as its limit, and knows whether more follow', () => {
  const page = (rows: number, limit: number) =>
    toPage(
      Array.from({ length: rows }, (_, n) => n),
      limit,
      (n) => `${n}`,
    );
  assert.deepEqual(page(0, 2), { data: [], hasMore: false });
  assert.deepEqual(page(2, 2), { data: ['0', '1'], hasMore: false });
  assert.deepEqual(page(3, 2), { data: ['0', '1'], hasMore: true });
});

test('the row that shows that more follow is not converted', () => {
  const converted: number[] = [];
  toPage([1, 2], 1, (row) => converted.push(row));
  assert.deepEqual(converted, [1]);
});
