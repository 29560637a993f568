import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transferableBuffers } from '../../../src/workers/threads/transfer.ts';

test('transfers a buffer only if one view covers it, it is not shared, and only once', () => {
  const whole = new Uint8Array(10_000);
  assert.deepEqual(transferableBuffers([whole, whole]), [whole.buffer]);
  assert.deepEqual(transferableBuffers([whole.subarray(1), Buffer.from('of the pool')]), []);
  assert.deepEqual(transferableBuffers([new Uint8Array(new SharedArrayBuffer(8))]), []);
});
