import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../../src/http/metrics/registry.ts';
import type { JobGauges } from '../../../src/store/jobs/gauges.ts';
import { parseSamples } from './samples.ts';

const TABLE_GAUGES = [
  'atelier_jobs{status="queued"}',
  'atelier_queue_depth{}',
  'atelier_queue_oldest_seconds{}',
  'atelier_training_slots{state="free"}',
  'atelier_training_images_per_second{}',
  'atelier_webhooks_pending{}',
  'atelier_prediction_jobs{status="queued"}',
];

function createSamples(readJobs: () => Promise<JobGauges>) {
  const metrics = createMetrics({
    kernel: { name: 'kernel', digest: '' },
    queueLimit: 100,
    waitingForStorage: () => 0,
    readStateSizes: () => Promise.reject(new Error('The disk is gone.')),
    modelCache: () => ({ hits: 0, misses: 0, evictions: 0, models: 0, bytes: 0 }),
    readJobs,
    slots: () => 4,
    replicas: () => 2,
    noticeMode: () => 'polling',
  });
  return async () => parseSamples(await metrics.text());
}

test('a scrape reads all gauges of the tables at once', async () => {
  let reads = 0;
  const samples = createSamples(async () => {
    reads += 1;
    const counts = new Map([['queued', 3] as const, ['running', 1] as const, ['pausing', 1] as const]);
    const predictions = new Map([['queued', 5] as const]);
    return {
      counts,
      predictions,
      oldestQueuedAt: Date.now() - 90_000,
      imagesPerSecond: 1234,
      pendingWebhooks: 2,
    };
  });
  const scraped = await samples();
  assert.equal(reads, 1);
  const values = ['atelier_database_up{}', ...TABLE_GAUGES].map((name) => Math.floor(scraped.get(name)!));
  assert.deepEqual(values, [1, 3, 3, 90, 2, 1234, 2, 5]);
  assert.equal(scraped.get('atelier_training_slots{state="busy"}'), 2);
  assert.equal(scraped.get('atelier_replicas{}'), 2);
  assert.equal(scraped.get('atelier_notices{mode="polling"}'), 1);
  assert.equal(scraped.get('atelier_notices{mode="local"}'), 0);
});

test('an empty queue and full slots are zero, also with the clock of another replica', async () => {
  const [none, oldestQueuedAt] = [
    { predictions: new Map(), imagesPerSecond: 0, pendingWebhooks: 0 },
    Date.now() + 90_000,
  ];
  const states: JobGauges[] = [
    { ...none, counts: new Map([['running', 6]]), oldestQueuedAt: null },
    { ...none, counts: new Map(), oldestQueuedAt },
  ];
  const samples = createSamples(async () => states.shift()!);
  const full = await samples();
  for (const name of TABLE_GAUGES) assert.equal(full.get(name), 0, name);
  assert.equal((await samples()).get('atelier_queue_oldest_seconds{}'), 0);
});

test('while the database hangs or fails, a scrape omits its gauges and repeats no query', async () => {
  let reads = 0;
  const hanging = Promise.withResolvers<JobGauges>();
  const samples = createSamples(() => {
    reads += 1;
    return reads === 1 ? hanging.promise : Promise.reject(new Error('The connection is lost.'));
  });
  const assertDown = (scraped: ReadonlyMap<string, number>) => {
    assert.equal(scraped.get('atelier_database_up{}'), 0);
    for (const name of TABLE_GAUGES) assert.equal(scraped.get(name), undefined, name);
    assert.equal(scraped.get('atelier_queue_limit{}'), 100);
    for (const name of ['free', 'capacity'])
      assert.equal(scraped.get(`atelier_state_${name}_bytes{}`), undefined);
  };
  for (const scraped of await Promise.all([samples(), samples()])) assertDown(scraped);
  assert.equal(reads, 1);
  const none = { counts: new Map(), predictions: new Map() };
  hanging.resolve({ ...none, oldestQueuedAt: null, imagesPerSecond: 0, pendingWebhooks: 0 });
  await hanging.promise;
  assertDown(await samples());
  assert.equal(reads, 2);
});
