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
import { buildTraining } from '../../../src/process/compose/training.ts';
import { type Cluster, openState, type State } from '../../../src/process/state.ts';
import { createMemoryLedger } from '../../../src/services/memory/ledger.ts';
import type { ServedNetwork } from '../../../src/workers/kernel/compile.ts';
import { newJob, publish } from '../../store/fixtures.ts';
import { dense } from '../../support/dense.ts';
import { addCleanup, temporaryDirectory } from '../../support/start-service.ts';

async function baseOf(
  t: TestContext,
  environment: Record<string, string> = {},
  changeStore: (store: State['store']) => Partial<State['store']> = () => ({}),
) {
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
  const shared = { ...state, store: { ...state.store, ...changeStore(state.store) } };
  const base = await buildBase({ config, log, memory, state: shared, builtIn: [] });
  addCleanup(t, base.threads.close);
  return { base, caches };
}

test('jobs can take the memory of cached data sets, models, calibrations and training threads', async (t) => {
  const { base, caches } = await baseOf(t);
  assert.deepEqual(caches, [
    base.catalog.cache,
    base.modelCache,
    base.calibrationCache,
    base.threads.trainings,
  ]);
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

test('a process that shares its database counts the live replicas, and lists what the others upload', async (t) => {
  const replicas = { live: () => [{}, {}, {}] } as unknown as NonNullable<State['store']['replicas']>;
  const rateLeases = {} as NonNullable<State['store']['rateLeases']>;
  let listings = 0;
  const { base } = await baseOf(t, {}, ({ datasets }) => ({
    replicas,
    rateLeases,
    datasets: {
      ...datasets,
      list: () => {
        listings++;
        return datasets.list();
      },
    },
  }));
  assert.match(await base.metrics.text(), /^atelier_replicas 3$/m);
  assert.equal(base.services.rateLeases?.leases, rateLeases);
  assert.equal(base.services.rateLeases?.replicas(), 3);
  assert.equal(listings, 1);
  await base.catalog.refresh();
  assert.equal(listings, 2);
});

/** A log of which only errors count, as `message: error`, with the job if one is named. */
function recordErrors() {
  const logged: string[] = [];
  const error = ({ jobId, err }: { jobId?: string; err: Error }, message: string) =>
    void logged.push(`${message}: ${err.message}${jobId === undefined ? '' : ` (${jobId})`}`);
  return { logged, log: { ...pino({ level: 'silent' }), error } as unknown as Base['log'] };
}
const failing = (message: string) => async (): Promise<never> => {
  throw new Error(message);
};

test('a failure of the housekeeping or of the outbox is logged', async (t) => {
  const { base } = await baseOf(t, { KEEP_EVENTS_DAYS: '1', WEBHOOK_ORIGINS: 'https://example.org' });
  const { logged, log } = recordErrors();
  const { storedResponses, retention: kept, webhooks: outbox } = base.store;
  const store: Base['store'] = {
    ...base.store,
    hourlyTasks: [failing('hourly')],
    storedResponses: { ...storedResponses, deleteExpired: failing('responses') },
    retention: { ...kept, deleteEvents: failing('events') },
    webhooks: { ...outbox, claim: failing('claim') },
  };
  const searches = { services: { searches: { finishDeletions: failing('searches') } } };
  const parts = buildStorage({ ...base, store, log }, searches as unknown as Searches);
  await parts.retention.start();
  assert.deepEqual(
    logged.splice(0),
    ['hourly', 'responses', 'searches', 'events'].map(
      (task) => `failed to delete what is no longer kept: ${task}`,
    ),
  );
  parts.webhooks.start();
  await setImmediate();
  await parts.webhooks.close();
  await parts.retention.close();
  assert.deepEqual(logged, ['failed to read or write the outbox of webhooks: claim']);
});

test('a queue that cannot be read is logged', async (t) => {
  const { base } = await baseOf(t);
  const { logged, log } = recordErrors();
  const { jobs, predictionJobs } = base.store;
  const store: Base['store'] = {
    ...base.store,
    jobs: { ...jobs, nextQueued: failing('trainings') },
    predictionJobs: { ...predictionJobs, nextQueued: failing('predictions') },
  };
  const models = buildModels(base);
  for (const build of [buildPredictions, buildTraining]) {
    const { queue } = build({ ...base, store, log }, models);
    queue.start();
    await setImmediate();
    await queue.close();
  }
  assert.deepEqual(logged, [
    'failed to run a job: predictions (none)',
    'failed to run a job: trainings (none)',
  ]);
});

test('replicas follow the trainings of each other, and leave jobs to those with enough memory', async (t) => {
  const { base } = await baseOf(t);
  const id = await newJob(base.store, 'queued', 'shoes');
  const replica = (name: string, jobBytes: number) => ({
    id: name,
    slots: 1,
    jobBytes,
    environment: { kernel: 'k', fused: true },
  });
  let live = [replica('self', -1), replica('other', 1e9)];
  const heard: string[] = [];
  const claimed: string[] = [];
  const cluster = {
    slots: 1,
    boss: {},
    replicas: { id: 'self', live: () => live, onBeat: () => void heard.push('beat') },
    tickets: { claim: async (jobId: string) => void claimed.push(jobId) },
  } as unknown as Cluster;
  const notices = { ...base.store.notices, on: (kind: string) => void heard.push(kind) };
  const changed = { ...base, cluster, store: { ...base.store, notices } };
  const { queue } = buildTraining(changed, buildModels(base));
  t.after(() => queue.close());
  heard.length = 0;
  queue.start();
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  assert.deepEqual(heard.sort(), ['beat', 'job', 'queue']);
  assert.deepEqual(claimed, []);
  live = [replica('self', 1e9), replica('other', 1e9)];
  queue.notify();
  for (let turn = 0; claimed.length === 0 && turn < 100; turn++) await setImmediate();
  assert.deepEqual(claimed, [id]);
});
