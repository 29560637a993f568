/** Plans of searches, and requests that are rejected because a trial is impossible. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { searchRequestSchema } from '../../../src/domain/searches/request.ts';
import { AtelierError } from '../../../src/errors.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../../src/numerics/network/image-shape.ts';
import { createMemoryLedger } from '../../../src/services/memory/ledger.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import { modelledEpochSeconds } from '../../../src/services/preview/time-model.ts';
import { estimateSearchTime } from '../../../src/services/searches/duration.ts';
import { planSearch } from '../../../src/services/searches/plan.ts';
import { createResolveTraining } from '../../../src/services/training/resolve-request.ts';
import { temporaryStore } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';

type Body = Partial<z.input<typeof searchRequestSchema>>;

const rate = '/training/optimizer/learningRate';
const RATES = { path: rate, choices: [0.1, 0.2] };

/** Forty images of two classes. Four are held out by default. */
async function createPlanner(t: Parameters<typeof temporaryStore>[0]) {
  const store = await temporaryStore(t);
  const labels = Uint8Array.from({ length: 40 }, (_, n) => n % 2);
  const pixels = new Uint8Array(40 * 784).map((_, n) => n % 251);
  const examples = { pixels, labels };
  const digest = `sha256:${'0'.repeat(64)}`;
  const dataset = {
    id: 'fashion-mnist',
    imageShape: DEFAULT_IMAGE_SHAPE,
    classNames: ['a', 'b'],
    train: examples,
    validation: null,
    learning: examples,
    test: examples,
    digest,
  };
  const catalog = catalogOf(dataset);
  const resolve = createResolveTraining({
    catalog,
    models: createModelService(store, catalog),
    memory: createMemoryLedger(),
    keepCheckpoints: 'best',
    assertWebhookAllowed() {},
  });
  return async (body: Body) => {
    const base = { dataset: 'fashion-mnist', training: { epochs: 9, batchSize: 4 }, vary: [RATES] };
    const request = searchRequestSchema.parse({ ...base, ...body });
    return { ...(await planSearch(request, dataset, resolve)), request, dataset };
  };
}

test('checks only the settings that a random search has drawn', async (t) => {
  const plan = await createPlanner(t);
  const search = (seed: number) =>
    plan({
      seed,
      vary: [{ path: rate, choices: [-1, 0.1, 0.2, 0.3] }],
      method: { type: 'random', trials: 2 },
    });
  const results = await Promise.allSettled([1, 2, 3, 4, 5, 6].map(search));
  const drawn = results.flatMap((result) =>
    result.status === 'fulfilled' ? result.value.plan.settings : [],
  );
  assert.ok(drawn.length > 0 && !drawn.flat().includes(-1), JSON.stringify(drawn));
  assert.ok(results.some(({ status }) => status === 'rejected'));
});

test('plans the settings, the rungs and the epochs of a search', async (t) => {
  const plan = await createPlanner(t);
  const halving = { factor: 3, minEpochs: 1 };
  const vary = [{ path: rate, min: 0.01, max: 1, scale: 'log' as const }];
  const { plan: planned } = await plan({ vary, method: { type: 'random', trials: 9 }, halving });
  assert.deepEqual(planned.rungs, [1, 3, 9]);
  assert.equal(planned.plannedEpochs, 9 + 3 * 2 + 6);
  assert.equal(planned.validationImages, 4);
  // One network shape.
  assert.deepEqual(planned.checked, [1]);
  const { plan: limited } = await plan({
    vary,
    method: { type: 'random', trials: 9 },
    halving,
    budget: { epochs: 15 },
  });
  assert.deepEqual(limited.settings, planned.settings.slice(0, 5));
  // Two trainings of nine epochs are the fewest of a search.
  const fewest = await plan({ vary, method: { type: 'random', trials: 9 }, budget: { epochs: 18 } });
  assert.equal(fewest.plan.settings.length, 2);

  const { plan: whole } = await plan({
    network: { activation: 'tanh' },
    vary: [
      { path: '/network/hidden', choices: [[4], []] },
      { path: '/training/optimizer', choices: [{ type: 'adam' }, { learningRate: 0.2 }] },
    ],
  });
  assert.equal(whole.settings.length, 4);
  assert.deepEqual(whole.checked, [1, 3]);
});

test('estimates the time of a search from a few of its settings', async (t) => {
  const plan = await createPlanner(t);
  const estimate = async (body: Body, options: { parallel: number; slots: number }, startSeconds = 0) => {
    const { request, requests, dataset } = await plan(body);
    const timed: number[] = [];
    const time = await estimateSearchTime(request, requests, dataset, {
      ...options,
      // Twice as long as the model says, on an idle machine.
      async time(training) {
        const { epochs } = training.training;
        const seconds = 2 * epochs * modelledEpochSeconds(training, dataset);
        timed.push(training.network.hidden[0]!);
        const range = { seconds, low: seconds * 0.8, high: seconds * 1.25 };
        const parts = {
          trainingSeconds: seconds * 0.75,
          evaluationSeconds: seconds * 0.25,
          gradientCheckSeconds: 0,
          startSeconds,
        };
        const basis = { kind: 'calibrated', jobs: 0, epochs: 0, ratio: 1 } as const;
        return { ...range, ...parts, imagesPerSecond: 1, basis };
      },
    });
    const epochs = requests.map((training) => 2 * modelledEpochSeconds(training, dataset));
    return { time, timed, epochs };
  };
  const near = (actual: number, expected: number) =>
    assert.ok(Math.abs(actual / expected - 1) < 1e-9, `${actual} instead of ${expected}`);
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const hidden = { path: '/network/hidden', choices: [[4], [64], [8], [16], [32]] };

  const grid = await estimate({ vary: [hidden] }, { parallel: 2, slots: 4 });
  assert.deepEqual(grid.timed, [4, 16, 64]);
  assert.equal(grid.time.timedSettings, 3);
  near(grid.time.seconds, (9 * sum(grid.epochs)) / 2);
  near(grid.time.low, grid.time.seconds * 0.8);
  near(grid.time.high, grid.time.seconds * 1.25);
  near(grid.time.finalSeconds, ((9 * sum(grid.epochs)) / 5) * (40 / 36));
  // Every repeat has a slot.
  const repeated = await estimate({ vary: [hidden], repeats: 2 }, { parallel: 20, slots: 20 });
  near(repeated.time.seconds, (9 * sum(grid.epochs)) / 5);

  const halving = { factor: 3, minEpochs: 1 };
  const final = { trainOn: null };
  const rates = { path: rate, choices: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] };
  const halved = await estimate({ vary: [rates], halving, final }, { parallel: 4, slots: 2 });
  assert.equal(halved.time.timedSettings, 1);
  // Nine trials of one epoch and three of two on two slots, then one of six on one.
  near(halved.time.seconds, (9 / 2 + (3 * 2) / 2 + 6) * halved.epochs[0]!);
  assert.equal(halved.time.finalSeconds, 0);

  // Two slots start a thread at once and keep it for the others of five trials; the final training starts another one.
  const started = await estimate({ vary: [hidden] }, { parallel: 2, slots: 4 }, 8);
  near(started.time.seconds, grid.time.seconds + 6 + (5 * 2) / 2);
  near(started.time.finalSeconds, grid.time.finalSeconds + 8);
  const rungs = await estimate({ vary: [rates], halving, final }, { parallel: 4, slots: 2 }, 8);
  near(rungs.time.seconds, halved.time.seconds + 6 + (9 / 2 + 3 / 2 + 1) * 2);
});

const REFUSED: readonly [title: string, body: Body, pointer: string, words: RegExp][] = [
  [
    'a path outside of the network and the training',
    { vary: [{ path: '/dataset', choices: [1, 2] }] },
    '#/vary/0/path',
    /Must be a JSON pointer/,
  ],
  [
    'a path to an unknown field',
    { vary: [{ path: '/training/learnRate', choices: [1, 2] }] },
    '#/vary/0/path',
    /Unknown field `learnRate`/,
  ],
  [
    'a path to an unknown field with a single value',
    { vary: [{ path: '/training/learnRate', choices: [1] }] },
    '#/vary/0/path',
    /Unknown field `learnRate`/,
  ],
  [
    'a range whose smallest value is not allowed, although none is drawn near it',
    { vary: [{ path: '/training/l2', min: -0.05, max: 1 }], method: { type: 'random', trials: 3 } },
    '#/vary/0/min',
    /at least 0/,
  ],
  [
    'a range whose largest value is not allowed',
    { vary: [{ path: '/training/l2', min: 0, max: 1000 }], method: { type: 'random', trials: 2 } },
    '#/vary/0/max',
    /at most 100/,
  ],
  [
    'a path that is not a JSON pointer',
    { vary: [{ path: '/training/~2', choices: [1, 2] }] },
    '#/vary/0/path',
    /Must be a JSON pointer: write a ~ as ~0/,
  ],
  [
    'a path to a field whose name is escaped',
    { vary: [{ path: '/training/a~0~1b', choices: [1, 2] }] },
    '#/vary/0/path',
    /#\/training\/a~0~1b: Unknown field `a~\/b`/,
  ],
  [
    'a path through a field that does not exist',
    { vary: [{ path: '/training/optimiser/learningRate', choices: [1, 2] }] },
    '#/vary/0/path',
    /Did you mean `optimizer`/,
  ],
  [
    'a path that leaves out a part, with the whole one',
    { vary: [{ path: '/training/learningRate', choices: [1, 2] }] },
    '#/vary/0/path',
    /Unknown field `learningRate`\. Did you mean `\/training\/optimizer\/learningRate`\? Allowed: /,
  ],
  ['the same path twice', { vary: [RATES, RATES] }, '#/vary/1/path', /Overlaps with/],
  [
    'a path within another one',
    { vary: [RATES, { path: '/training/optimizer', choices: [{}, { momentum: 0.5 }] }] },
    '#/vary/1/path',
    /Overlaps with/,
  ],
  [
    'validation images that vary',
    { vary: [{ path: '/training/validation/fraction', choices: [0.1, 0.2] }] },
    '#/vary/0/path',
    /the same for all trials/,
  ],
  ['no validation', { training: { validation: null } }, '#/training/validation', /must hold out images/],
  [
    'a batch size below one',
    { vary: [RATES, { path: '/training/batchSize', choices: [4, 0] }] },
    '#/vary/1/path',
    /trial 2 .*batchSize = 0.* at least 1/,
  ],
  [
    'a fractional number of units',
    { vary: [{ path: '/training/batchSize', min: 1, max: 4, points: 3 }] },
    '#/vary/0/path',
    /must be an integer/,
  ],
  [
    'a batch larger than the training part',
    { vary: [{ path: '/training/batchSize', choices: [4, 400] }] },
    '#/vary/0/path',
    /must be at most 36/,
  ],
  [
    'a combination that a training refuses',
    {
      vary: [{ path: '/training/optimizer/momentum', choices: [0.9, 0] }],
      training: { batchSize: 4, optimizer: { nesterov: true } },
    },
    '#/training/optimizer/nesterov',
    /trial 2 .*momentum = 0.* requires a momentum/,
  ],
  [
    'an unknown field that does not vary',
    { training: { batchSize: 4, epoch: 3 } },
    '#/training/epoch',
    /Did you mean `epochs`/,
  ],
  [
    'halving with early stopping',
    { halving: {}, training: { epochs: 9, batchSize: 4, earlyStopping: {} } },
    '#/training/earlyStopping',
    /must be null with halving/,
  ],
  [
    'halving with a budget of a training',
    { halving: {}, training: { epochs: 9, batchSize: 4, budget: { seconds: 5 } } },
    '#/training/budget',
    /must be null with halving/,
  ],
  [
    'halving of epochs that vary',
    { halving: {}, vary: [{ path: '/training/epochs', choices: [8, 9] }] },
    '#/vary/0/path',
    /Must not be \/training\/epochs/,
  ],
  [
    'a rung at the end',
    { halving: { minEpochs: 9 } },
    '#/halving/minEpochs',
    /must be less than the 9 epochs/,
  ],
  [
    'trials that end by the clock',
    { training: { batchSize: 4, budget: { seconds: 5 } } },
    '#/training/budget/seconds',
    /does not depend on time; limit the search/,
  ],
  ['a single setting', { vary: [{ path: rate, choices: [0.1] }] }, '#/vary', /at least two settings/],
  [
    'more random settings than there are',
    { method: { type: 'random', trials: 3 } },
    '#/method/trials',
    /at most 2/,
  ],
  [
    'more random settings than a narrow range has after rounding',
    { vary: [{ path: rate, min: 0.1, max: 0.1001 }], method: { type: 'random', trials: 9 } },
    '#/method/trials',
    /at most 2, .* rounded/,
  ],
  [
    'points that are equal after rounding',
    { vary: [{ path: rate, min: 0.1, max: 0.1001, points: 9 }] },
    '#/vary/0/points',
    /some are equal/,
  ],
  [
    'a range without points in a grid',
    { vary: [{ path: rate, min: 0.1, max: 1 }] },
    '#/vary/0/points',
    /Is required/,
  ],
  [
    'too many settings',
    { vary: [{ path: rate, min: 1, max: 2, step: 0.0001 }] },
    '#/vary',
    /at most 1000 settings/,
  ],
  [
    'too many jobs',
    { repeats: 10, vary: [{ path: rate, min: 0.1, max: 1, points: 101 }] },
    '#/repeats',
    /at most 9/,
  ],
  [
    'a budget for less than two trials',
    {
      vary: [{ path: rate, min: 0.1, max: 1 }],
      method: { type: 'random', trials: 5 },
      budget: { epochs: 17 },
    },
    '#/budget/epochs',
    /at least 18/,
  ],
  ['a grid beyond the budget', { budget: { epochs: 17 } }, '#/budget/epochs', /at least 18: all settings/],
];

test('rejects a path into an array that has no index of an item', async (t) => {
  const plan = await createPlanner(t);
  for (const name of ['length', '-', '01', '4294967295']) {
    const vary = [{ path: `/network/hidden/${name}`, choices: [1, 2] }];
    await assert.rejects(plan({ network: { hidden: [5] }, vary }), {
      code: 'impossible-request',
      details: [
        { pointer: '#/vary/0/path', detail: `must have the index of an item, such as 0, instead of ${name}` },
      ],
    });
  }
  const { requests } = await plan({
    network: { hidden: [5] },
    vary: [{ path: '/network/hidden/0', choices: [1, 2] }],
  });
  assert.deepEqual(
    requests.map(({ network }) => network.hidden),
    [[1], [2]],
  );
});

test('lists at most 20 of thousands of conflicts, each of which quotes the setting', async (t) => {
  const plan = await createPlanner(t);
  const choices = [1, 2].map((value) =>
    Object.fromEntries(Array.from({ length: 4000 }, (_, n) => [`f${n}`, value])),
  );
  await assert.rejects(plan({ vary: [{ path: '/training/optimizer', choices }] }), (error) => {
    assert.ok(error instanceof AtelierError);
    assert.equal(error.details.length, 20);
    assert.match(
      error.message,
      /^The search cannot be started\. #\/vary\/0\/path: In trial 1 .* Unknown field `f0`/,
    );
    return true;
  });
});

test('rejects invalid training options and searches without variations, with a pointer', async (t) => {
  const plan = await createPlanner(t);
  for (const [title, body, pointer, words] of REFUSED) {
    await assert.rejects(plan(body), (error) => {
      assert.ok(error instanceof AtelierError, `${title}: ${error}`);
      assert.deepEqual(
        error.details.map((detail) => 'pointer' in detail && detail.pointer),
        [pointer],
        `${title}: ${error.message}`,
      );
      assert.match(error.message, words, title);
      assert.match(error.message, /[^.]\.$/, title);
      return true;
    });
  }
});

test('the schema rejects a variation that has neither choices nor a range', () => {
  for (const variation of [
    {},
    { choices: [] },
    { choices: [1, 1] },
    { choices: [1], min: 1, max: 2 },
    { min: 1 },
    { min: 2, max: 1 },
    { min: 0, max: 1, scale: 'log' },
    { min: 0, max: 1, step: 0.1, points: 3 },
  ]) {
    const body = { dataset: 'fashion-mnist', vary: [{ path: rate, ...variation }] };
    assert.equal(searchRequestSchema.safeParse(body).success, false, JSON.stringify(variation));
  }
});
