import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownMemory } from '../../src/workers/transfer.ts';

test('memory is given away where a view is all of it, and neither where others share it nor twice', () => {
  const whole = new Uint8Array(10_000);
  assert.deepEqual(ownMemory([whole, whole]), [whole.buffer]);
  assert.deepEqual(ownMemory([whole.subarray(1), Buffer.from('of the pool')]), []);
  assert.deepEqual(ownMemory([new Uint8Array(new SharedArrayBuffer(8))]), []);
});
