import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { trainingJobBytes } from '../../../src/services/memory/limits.ts';
import { forecastQueue } from '../../../src/services/queueing/forecast.ts';
import { request, untouched } from '../../store/fixtures.ts';
import { catalogOf, WITHOUT_IMAGES } from '../../support/catalog.ts';

const catalog = catalogOf(WITHOUT_IMAGES);
const EACH = trainingJobBytes(request(), catalog)!;

/** A job of priority 0 that takes this many seconds. */
const lasting = (etaSeconds: number | null, changes: Partial<TrainingJob> = {}) =>
  ({ ...request(), progress: { ...untouched, etaSeconds }, ...changes }) as TrainingJob;

/** Seconds until a new job of priority 0, as large as the others, starts. */
async function secondsUntilStart({
  running = [],
  queued = [],
  ahead = queued.length,
  slots = 2,
  memoryFor = 10,
}: {
  running?: TrainingJob[];
  queued?: TrainingJob[];
  ahead?: number;
  slots?: number;
  memoryFor?: number;
}) {
  const jobs = {
    countAhead: async () => ahead,
    list: async () => ({ data: running, hasMore: false }),
    listAhead: async () => queued,
  };
  const capacity = { slots, jobBytes: memoryFor * EACH };
  const forecast = await forecastQueue({ priority: 0, bytes: EACH }, { jobs, catalog, capacity });
  assert.equal(forecast.ahead, ahead);
  return forecast.startsInSeconds;
}

test('a job starts when the jobs before it have left a slot', async () => {
  assert.equal(await secondsUntilStart({ running: [lasting(10)] }), 0);
  assert.equal(await secondsUntilStart({ running: [lasting(20), lasting(10)] }), 10);
  assert.equal(await secondsUntilStart({ running: [lasting(20), lasting(10)], queued: [lasting(5)] }), 15);
  // A job of lower priority stops for it.
  assert.equal(await secondsUntilStart({ running: [lasting(20), lasting(10, { priority: -1 })] }), 0);
  assert.equal(await secondsUntilStart({ slots: 0 }), null);
});

test('a job starts when the jobs before it have left enough memory', async () => {
  const running = [lasting(10), lasting(20)];
  assert.equal(await secondsUntilStart({ running, slots: 9, memoryFor: 3 }), 0);
  assert.equal(await secondsUntilStart({ running, slots: 9, memoryFor: 2.9 }), 10);
  // A data set that no longer exists: the job takes no memory, and fails soon.
  const unknown = lasting(null, { dataset: 'removed' });
  assert.equal(await secondsUntilStart({ running: [unknown], slots: 9, memoryFor: 1 }), 0);
  assert.equal(await secondsUntilStart({ running: [unknown], slots: 1 }), 30);
});

test('jobs that are not read take as long as the others on average, on all slots', async () => {
  const queued = [lasting(10), lasting(20)];
  assert.equal(await secondsUntilStart({ queued, ahead: 102 }), (100 * 15) / 2 + 10);
  assert.equal(await secondsUntilStart({ ahead: 2 }), 0);
});
