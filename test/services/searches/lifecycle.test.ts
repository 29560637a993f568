/** The service of searches on a store that only records its calls, and deletions that were interrupted. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import type { Search } from '../../../src/domain/searches/representation.ts';
import { searchRequestSchema } from '../../../src/domain/searches/request.ts';
import { createMemoryLedger } from '../../../src/services/memory/ledger.ts';
import { createSearchService } from '../../../src/services/searches/lifecycle.ts';
import { createResolveTraining } from '../../../src/services/training/resolve-request.ts';
import { catalogOf } from '../../support/catalog.ts';
import { smallSearch } from '../../support/search-outcome.ts';
import { startService, temporaryDirectory } from '../../support/start-service.ts';

test('a deletion that the end of the process interrupted is finished after the next start', async (t) => {
  const STATE_DIR = await temporaryDirectory(t);
  const first = await startService(t, { STATE_DIR });
  const body = smallSearch({
    method: { type: 'random', trials: 2 },
    halving: null,
    final: { trainOn: null },
  });
  const created = await first.app.inject({ method: 'POST', url: '/v1/searches', payload: body });
  assert.equal(created.statusCode, 202, created.body);
  const url = `/v1/searches/${created.json<Search>().id}`;
  while ((await first.app.inject(url)).json<Search>().finishedAt === null) await wait(20);
  await first.close();

  // The state after the first transaction of a deletion.
  const db = new DatabaseSync(join(STATE_DIR, 'atelier.sqlite'));
  db.exec('update searches set deleting = 1');
  db.close();

  const { app } = await startService(t, { STATE_DIR });
  while ((await app.inject(url)).statusCode === 200) await wait(20);
  assert.equal((await app.inject(url)).statusCode, 404);
  assert.deepEqual((await app.inject('/v1/training-jobs')).json().data, []);
});

const labels = Uint8Array.from({ length: 40 }, (_, n) => n % 2);
const images = { pixels: new Uint8Array(40 * 784).map((_, n) => n % 251), labels };
const digits: Dataset = {
  id: 'digits',
  imageShape: [28, 28],
  classNames: ['a', 'b'],
  digest: `sha256:${'0'.repeat(64)}`,
  train: images,
  validation: null,
  learning: images,
  test: images,
};
type Parts = Parameters<typeof createSearchService>[0];

/** @param searches methods of the store, beside those that create and change a search */
function setUp(searches: object = {}, slots = 3) {
  const calls: unknown[] = [];
  const catalog = catalogOf(digits);
  const models = { invalidateEverywhere: async () => {} } as unknown as Parts['models'];
  const timed: unknown[] = [];
  const service = createSearchService({
    store: {
      searches: {
        get: async () => undefined,
        async create({ modelName }: { modelName: string }, plan: { settings: unknown }, options: object) {
          calls.push(['create', modelName, plan.settings, options]);
          return { id: 'sea_1' };
        },
        async request(id: string, change: string, precondition: unknown) {
          calls.push([change, id, precondition]);
          return { id };
        },
        ...searches,
      },
    } as unknown as Parts['store'],
    catalog,
    resolve: createResolveTraining({
      catalog,
      models: models as never,
      memory: createMemoryLedger(),
      keepCheckpoints: 'best',
      assertWebhookAllowed() {},
    }),
    models,
    runner: { notify: (id: string) => void calls.push(['notify', id]) } as unknown as Parts['runner'],
    async predictTime({ training }, { id }, signal) {
      timed.push([training.distillation, id, signal]);
      const parts = { trainingSeconds: 8, evaluationSeconds: 0, gradientCheckSeconds: 0, startSeconds: 0 };
      const basis = { kind: 'calibrated', jobs: 0, epochs: 0, ratio: 1 } as const;
      return { seconds: 8, low: 8, high: 8, ...parts, imagesPerSecond: 1, basis };
    },
    slots: () => slots,
  });
  return { service, calls, timed };
}

const requestOf = (changes: object = {}) =>
  searchRequestSchema.parse({
    dataset: 'digits',
    training: { epochs: 2, batchSize: 4 },
    vary: [{ path: '/training/l2', choices: [0, 1] }],
    final: { trainOn: null },
    ...changes,
  });

test('a new search is named by its data set if it has no name, and starts soon', async () => {
  const { service, calls } = setUp();
  assert.deepEqual(await service.start(requestOf(), undefined, 'trace'), { id: 'sea_1' });
  const options = { limit: 100, idempotency: undefined, traceparent: 'trace' };
  assert.deepEqual(calls, [
    ['create', 'digits', [[0], [1]], options],
    ['notify', 'sea_1'],
  ]);
  await service.start(requestOf({ modelName: 'tuned' }));
  assert.deepEqual((calls[2] as unknown[])[1], 'tuned');
});

test('a preview starts nothing, and counts on as many slots as there are, but one at least', async () => {
  const { signal } = new AbortController();
  for (const [slots, parallel, seconds] of [
    [3, undefined, 8],
    [1, undefined, 16],
    [0, undefined, 16],
    [3, 1, 16],
  ] as const) {
    const { service, calls, timed } = setUp({}, slots);
    const preview = await service.preview(requestOf(parallel && { parallel }), signal);
    assert.deepEqual(
      preview.trials.map(({ trial }) => trial),
      [1, 2],
    );
    assert.deepEqual([preview.rungs, preview.plannedEpochs, preview.repeats], [[2], 4, 1]);
    assert.equal(preview.time.seconds, seconds, `${slots} slots`);
    assert.deepEqual([calls, timed], [[], [[null, 'digits', signal]]]);
  }
});

test('a change of a search is carried out soon', async () => {
  const { service, calls } = setUp();
  const precondition = () => {};
  await service.change('sea_1', 'pause', precondition);
  assert.deepEqual(calls, [
    ['pause', 'sea_1', precondition],
    ['notify', 'sea_1'],
  ]);
});

test('a search that does not exist has neither trials nor events', async () => {
  const { service } = setUp({ trials: async () => [], events: async () => ({ data: [] }) });
  const missing = { code: 'search-not-found', message: 'Search sea_9 does not exist.' };
  await assert.rejects(service.get('sea_9'), missing);
  await assert.rejects(service.trials('sea_9'), missing);
  await assert.rejects(service.leaderboard('sea_9'), missing);
  await assert.rejects(service.events('sea_9', { limit: 1 }), missing);
});

test('a search lists its trials by number, and its leaderboard best first', async () => {
  const trial = (number: number, validationLoss: number) => ({
    ...{ trial: number, rung: 0, isOut: false, setting: [number] },
    trainings: [
      {
        ...{
          repeat: 0,
          status: 'succeeded',
          pauseReason: null,
          jobId: `job_${number}`,
          epochs: 1,
          error: null,
        },
        measured: [{ epoch: 1, validationLoss, validationAccuracy: 0.5 }],
      },
    ],
  });
  const trials = [trial(1, 0.5), trial(2, 0.4)];
  const search = { ...requestOf({ objective: 'validationLoss' }), rungs: [1], validationImages: 100 };
  const { service } = setUp({ get: async () => search, trials: async () => trials });
  assert.equal(await service.trials('sea_1'), trials);
  assert.deepEqual(
    (await service.leaderboard('sea_1')).map((each) => each.trial),
    [2, 1],
  );
});
