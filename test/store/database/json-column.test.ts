import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, decodeOptional, decodeReadable, encode } from '../../../src/store/database/json-column.ts';
import { failure } from '../fixtures.ts';

test('numbers that JSON does not have are refused, with the name of their field', () => {
  assert.equal(encode({ a: [1, null], b: 'c' }), '{"a":[1,null],"b":"c"}');
  assert.throws(
    () => encode({ loss: Number.NaN }),
    /^RangeError: Cannot store NaN in JSON \(key "loss"\): only/,
  );
  assert.throws(() => encode(Number.POSITIVE_INFINITY), /^RangeError: Cannot store Infinity in JSON: only/);
});

test('damaged text is reported, or read as null where another reader reports it', () => {
  assert.deepEqual(decode('{"a":1}'), { a: 1 });
  assert.throws(() => decode('{"a":'), failure('state-unusable', 'does not contain valid JSON'));
  assert.deepEqual([decodeOptional(null), decodeOptional('2')], [null, 2]);
  assert.throws(() => decodeOptional('{'), failure('state-unusable'));
  assert.deepEqual([decodeReadable(null), decodeReadable('2'), decodeReadable('{')], [null, 2, null]);
});
