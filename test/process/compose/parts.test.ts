/** The parts of a service that does not start: what they get from the configuration. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { pino } from 'pino';
import { readConfig } from '../../../src/config/read.ts';
import { type Base, buildBase } from '../../../src/process/compose/base.ts';
import { buildModels } from '../../../src/process/compose/models.ts';
import { buildPredictions } from '../../../src/process/compose/predictions.ts';
import type { Searches } from '../../../src/process/compose/searches.ts';
import { buildStorage } from '../../../src/process/compose/storage.ts';
import { type Cluster, openState } from '../../../src/process/state.ts';
import { createMemoryLedger } from '../../../src/services/memory/ledger.ts';
import type { ServedNetwork } from '../../../src/workers/kernel/compile.ts';
import { publish } from '../../store/fixtures.ts';
import { dense } from '../../support/dense.ts';
import { addCleanup, temporaryDirectory } from '../../support/start-service.ts';

async function baseOf(t: TestContext, environment: Record<string, string> = {}) {
  const log = pino({ level: 'silent' });
  const config = readConfig({ STATE_DIR: await temporaryDirectory(t), DATASETS: 'none', ...environment });
  const ledger = createMemoryLedger();
  const caches: unknown[] = [];
  const memory = {
    ...ledger,
    addCache: (cache: Parameters<typeof ledger.addCache>[0]) => void caches.push(cache),
  };
  const state = await openState(config, memory.jobBudget, log);
  addCleanup(t, state.close);
  const base = await buildBase({ config, log, memory, state, builtIn: [] });
  addCleanup(t, base.threads.close);
  return { base, caches };
}

test('jobs can take the memory of cached data sets, models and training threads', async (t) => {
  const { base, caches } = await baseOf(t);
  assert.deepEqual(caches, [base.catalog.cache, base.modelCache, base.threads.trainings]);
});

test('a process that shares its database with no other counts itself as the only replica', async (t) => {
  const { base } = await baseOf(t);
  assert.equal(base.services.rateLeases, undefined);
  assert.match(await base.metrics.text(), /^atelier_replicas 1$/m);
});

test('the threads of a service end with it', async (t) => {
  const { base } = await baseOf(t);
  const started: Worker[] = [];
  const record = (worker: Worker) => void started.push(worker);
  process.on('worker', record);
  t.after(() => process.off('worker', record));
  const network: ServedNetwork = {
    reference: { name: 'small', version: 1 },
    architecture: dense([4, 2]),
    activation: 'relu',
    standardization: null,
    parameters: new Float32Array(10),
    classNames: ['even', 'odd'],
  };
  const examples = { pixels: new Uint8Array(4), labels: new Uint8Array(1) };
  const averages = await base.threads.comparisons.run('averageTeachers', { teachers: [network], examples });
  assert.deepEqual([...averages], [0.5, 0.5]);
  await base.threads.close();
  assert.deepEqual(
    started.map(({ threadId }) => threadId),
    [-1],
  );
});

test('versions are calibrated at their publication if that is on', async (t) => {
  const { base } = await baseOf(t);
  for (const calibratePublished of [true, false]) {
    const { onPublished, services } = buildModels({
      ...base,
      config: { ...base.config, calibratePublished },
    });
    assert.equal(onPublished === services.calibrations.calibratePublished, calibratePublished);
  }
});

test('a service without its data set is not ready, and one of several replicas is without the database', async (t) => {
  const { base } = await baseOf(t);
  const check = async (changes: Partial<Base>) => {
    const searches = { services: { searches: {} } } as Searches;
    const { ready, checks } = await buildStorage({ ...base, ...changes }, searches).services.health.check();
    return [ready, checks.datasets, checks.database];
  };
  assert.deepEqual(await check({}), [true, true, true]);
  assert.deepEqual(await check({ config: { ...base.config, dataDir: '/data' } }), [false, false, true]);
  const store = { ...base.store, assertUsable: () => Promise.reject(new Error('away')) };
  assert.deepEqual(await check({ store }), [false, true, false]);
  assert.deepEqual(await check({ store, cluster: {} as Cluster }), [true, true, false]);
});

test('a process runs one prediction job at a time, and none without slots', async (t) => {
  const { base } = await baseOf(t);
  await publish(base.store, 'shoes');
  const { predictionJobs } = base.store;
  const created = await Promise.all(
    [1, 2].map(() =>
      predictionJobs.create(
        {
          model: { name: 'shoes', version: 1 },
          classNames: ['cat', 'dog'],
          source: { pixels: '0-1' },
          images: 3,
          coverage: null,
        },
        { queueLimit: 10 },
      ),
    ),
  );
  const statuses = async () =>
    Promise.all(created.map(async ({ id }) => (await predictionJobs.get(id))!.status));

  const idle = buildPredictions(
    { ...base, cluster: { slots: 0, replicas: { id: 'idle' } } as Cluster },
    buildModels(base),
  ).queue;
  idle.start();
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  await idle.close();
  assert.deepEqual(await statuses(), ['queued', 'queued']);

  const { queue } = buildPredictions(base, buildModels(base));
  const running: number[] = [];
  queue.start();
  // They fail, because the parameters of the version are not stored.
  while ((await statuses()).some((status) => status !== 'failed')) {
    running.push(queue.running().length);
    await setImmediate();
  }
  assert.equal(Math.max(...running), 1);
  await queue.close();
});
