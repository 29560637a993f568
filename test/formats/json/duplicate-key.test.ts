import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findDuplicateKey } from '../../../src/formats/json/duplicate-key.ts';

test('finds duplicate keys at any depth and in any spelling', () => {
  for (const [json, field] of [
    ['{"seed":1,"seed":2}', 'seed'],
    ['{"a":{"b":[{"c":1,"d":{},"c":[]}]}}', 'c'],
    ['{"a":{"a":1},"b":[{"a":1},{"a":2}],"a":3}', 'a'],
    [String.raw`{ "s" : "\\\":{", "\u0073":1 }`, 's'],
    ['{"":1,"":2}', ''],
    ['{"a":"}","a":"{"}', 'a'],
  ] as const) {
    JSON.parse(json);
    assert.equal(findDuplicateKey(Buffer.from(json)), field, json);
  }
});

test('finds no duplicates in the output of JSON.stringify', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat({ max: 2 }), (json, indent) => {
      assert.equal(findDuplicateKey(Buffer.from(JSON.stringify(JSON.parse(json), null, indent))), undefined);
    }),
  );
});

test('reads the longest strings with escapes', () => {
  const body = (text: string) => `{"a":"${text}","b":1,"a":2}`;
  for (const text of ['x'.repeat(2 ** 20), '\\\\'.repeat(2 ** 19), '\\"'.repeat(2 ** 19)]) {
    assert.equal(findDuplicateKey(Buffer.from(body(text))), 'a');
  }
});
