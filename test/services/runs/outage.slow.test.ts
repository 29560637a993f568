/** Training while the PostgreSQL server crashes. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { createMemoryLedger } from '../../../src/services/memory/ledger.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import { createRunTrainingJob } from '../../../src/services/runs/training-job.ts';
import { createWaits } from '../../../src/services/runs/waits.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { createTrainingThreads } from '../../../src/workers/training/kept-threads.ts';
import { temporaryDirectory, temporaryStore, untouched } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';
import { SMALL_DATA_DIR } from '../../support/data-directory.ts';
import { withoutPostgres } from '../../support/servers/postgres.ts';
import { startPostgres } from '../../support/servers/postgres-server.ts';
import { interruptible } from '../../support/start-service.ts';

const fashionMnist = await loadFashionMnist(SMALL_DATA_DIR);

/** Trains one job to its end. @param onRetry called when a write is about to be repeated */
async function train(store: Store, onRetry: () => void = assert.fail) {
  const catalog = catalogOf(fashionMnist);
  const run = createRunTrainingJob({
    store,
    catalog,
    models: createModelService(store, catalog),
    memory: createMemoryLedger(),
    threads: createTrainingThreads(),
    waits: createWaits('storage'),
    judge: async () => null,
    loadDistillation: async () => null,
    onPublished: () => {},
    log: { info() {}, warn: assert.fail, error: onRetry },
    runner: 'replica-a',
  });
  const request = { ...trainingRequestSchema.parse(interruptible), modelName: 'interrupted' };
  const { id } = await store.jobs.create(request, untouched);
  await run(id, new AbortController().signal, new AbortController().signal);
  const { data: events } = await store.events.list(id, { limit: 1000 });
  return { job: (await store.jobs.get(id))!, events };
}

async function openStore(t: TestContext, url: string): Promise<Store> {
  const store = await openPostgresStore({ url, directory: await temporaryDirectory(t) });
  t.after(() => store.close());
  return store;
}

test('a job survives crashes of the database in one attempt, with the same digest', {
  skip: withoutPostgres,
}, async (t) => {
  const server = await startPostgres(['fsync=on', 'synchronous_commit=on']);
  t.after(() => server.remove());
  const store = await openStore(t, server.url);
  let crashes = 0;
  let down: Promise<void> | undefined;
  store.events.onCommitted((_, events) => {
    // The first epoch, the others and the last checkpoint are stored in at least three transactions.
    if (crashes === 3 || !events.some(({ type }) => type === 'epoch' || type === 'checkpoint')) return;
    crashes++;
    down = server.kill();
  });
  // A connection that was lost in a crash can also fail after it, when the server runs again.
  const { job, events } = await train(store, () => {
    down?.then(server.restart);
    down = undefined;
  });
  const undisturbed = await train(await temporaryStore(t));
  assert.equal(crashes, 3);
  assert.deepEqual([job.status, job.attempts, job.digest], ['succeeded', 1, undisturbed.job.digest]);
  assert.deepEqual(
    events.map(({ id }) => id),
    events.map((_, n) => n + 1),
  );
  const epochs = events.flatMap(({ type, data }) => (type === 'epoch' ? [data['epoch']] : []));
  assert.deepEqual(
    epochs,
    Array.from({ length: 16 }, (_, n) => n + 1),
  );
  assert.ok(events.filter(({ data }) => data['code'] === 'storage-unavailable').length > 0);
  assert.equal((await store.models.get('interrupted'))?.versions, 1);
});
