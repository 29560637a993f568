import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedBytes, transferableBuffers } from '../../../src/workers/threads/transfer.ts';

test('transfers a buffer only if one view covers it, it is not shared, and only once', () => {
  const whole = new Uint8Array(10_000);
  assert.deepEqual(transferableBuffers([whole, whole]), [whole.buffer]);
  assert.deepEqual(transferableBuffers([whole.subarray(1), Buffer.from('of the pool')]), []);
  assert.deepEqual(transferableBuffers([new Uint8Array(new SharedArrayBuffer(8))]), []);
});

test('counts the shared memory of a task or result once, and nothing else', () => {
  const memory = new SharedArrayBuffer(1000);
  const examples = { pixels: new Uint8Array(memory, 0, 900), labels: new Uint8Array(memory, 900) };
  const control = new Int32Array(new SharedArrayBuffer(4));
  const own = { bytes: new Uint8Array(50), name: 'abc', none: null, list: [1, 2] };
  assert.equal(sharedBytes({ ...own, train: examples, test: examples, control }), 1004);
  for (const message of [own, undefined, null, 'text', 5, [1], new Uint8Array(8)]) {
    assert.equal(sharedBytes(message), 0);
  }
});
