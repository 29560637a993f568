import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject } from '../../src/protocols/json-object.ts';

test('null and arrays are not objects of JSON', () => {
  assert.deepEqual([{}, { a: 1 }].map(isObject), [true, true]);
  assert.deepEqual([null, [], [{}], 'a', 1, true, undefined].filter(isObject), []);
});
