import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingService } from '../../../src/services/training/jobs.ts';
import { startStarterJob } from '../../../src/services/training/starter-job.ts';
import { request, temporaryStore, untouched } from '../../store/fixtures.ts';

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

test('a starter job is queued by the first of several processes only', async (t) => {
  const { jobs } = await temporaryStore(t);
  const start: TrainingService['start'] = ({ metadata, training: { epochs, schedule } }, idempotency) => {
    const { training, ...rest } = request();
    return jobs.create(
      { ...rest, metadata, training: { ...training, epochs, schedule } },
      untouched,
      idempotency && { idempotency },
    );
  };
  const training = { start } as TrainingService;
  const lines: [object, string][] = [];
  const log = {
    info: (...line: [object, string]) => void lines.push(line),
    warn: assert.fail,
    error: assert.fail,
  };
  await startStarterJob(training, log);
  await startStarterJob(training, log);
  const { data } = await jobs.list({ limit: 2 });
  const [job] = data;
  assert.equal(data.length, 1);
  assert.deepEqual(
    [job!.metadata, job!.training.epochs, job!.training.schedule],
    [{ startedBy: 'STARTER_JOB' }, 10, { type: 'exponential', factor: 0.85 }],
  );
  assert.deepEqual(lines, [
    [{ jobId: job!.id, modelName: job!.modelName }, 'starter job queued to provide a first model'],
  ]);
});
