import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DATATYPES,
  decodeElements,
  elementBytes,
  isFloating,
} from '../../../src/protocols/kserve-v2/datatypes.ts';

test('elements have the size of their datatype', () => {
  assert.deepEqual(DATATYPES.map(elementBytes), [1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8]);
  assert.deepEqual(DATATYPES.filter(isFloating), ['FP16', 'FP32', 'FP64']);
});

test('elements are little-endian, at any offset', () => {
  const body = Uint8Array.of(9, 1, 0, 0, 128, 255, 255, 255, 255);
  const tensor = body.subarray(1);
  assert.deepEqual(decodeElements('INT16', tensor), Int16Array.of(1, -32_768, -1, -1));
  assert.deepEqual(decodeElements('UINT32', tensor), Uint32Array.of(0x80000001, 0xffffffff));
  assert.deepEqual(decodeElements('FP32', Uint8Array.of(0, 0, 192, 63)), Float32Array.of(1.5));
});

test('bytes are not copied', () => {
  const bytes = Uint8Array.of(0, 255);
  assert.equal(decodeElements('UINT8', bytes), bytes);
  assert.deepEqual(decodeElements('INT8', bytes), Int8Array.of(0, -1));
});
