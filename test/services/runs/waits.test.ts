import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWaits } from '../../../src/services/runs/waits.ts';

test('a job waits until its wait is disposed of', () => {
  const waits = createWaits('storage');
  const [first, second] = [
    { id: 'job_1', waiting: null },
    { id: 'job_2', waiting: 'memory' },
  ];
  const wait = waits.add('job_1');
  assert.deepEqual([waits.count(), waits.has('job_1'), waits.has('job_2')], [1, true, false]);
  assert.deepEqual(waits.mark(first), { id: 'job_1', waiting: 'storage' });
  assert.equal(waits.mark(second), second);
  wait[Symbol.dispose]();
  assert.deepEqual([waits.count(), waits.has('job_1')], [0, false]);
  assert.equal(waits.mark(first), first);
});
