import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingService } from '../../../src/services/training/jobs.ts';
import { startStarterJob } from '../../../src/services/training/starter-job.ts';

test('a starter job that cannot be queued is logged, and the service starts', async () => {
  const error = new Error('The disk is full.');
  const training = { start: () => Promise.reject(error) } as unknown as TrainingService;
  const errors: object[] = [];
  await startStarterJob(training, {
    info: assert.fail,
    warn: assert.fail,
    error: (fields) => errors.push(fields),
  });
  assert.deepEqual(errors, [{ err: error }]);
});
