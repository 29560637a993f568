import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listAlternatives } from '../../../src/domain/messages/text-lists.ts';

test('lists names with commas, and "or" before the last one', () => {
  assert.deepEqual([['a'], ['a', 'b'], ['a', 'b', 'c']].map(listAlternatives), ['a', 'a or b', 'a, b or c']);
});
