import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { usableThreads } from '../../../src/services/training/usable-threads.ts';

test('a training uses at most one thread per core', () => {
  const cores = availableParallelism();
  assert.deepEqual([1, cores, cores + 1, 64 * cores].map(usableThreads), [1, cores, cores, cores]);
});
