import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectLargeGarbage } from '../../src/tuning/collect-garbage.ts';

test('frees large arrays that are not referenced any more', () => {
  const before = process.memoryUsage().arrayBuffers;
  // In a function of its own, so that no register refers to the array.
  const allocate = () => new Uint8Array(2 ** 26).fill(1).length;
  allocate();
  collectLargeGarbage();
  assert.ok(process.memoryUsage().arrayBuffers < before + 2 ** 26);
});
