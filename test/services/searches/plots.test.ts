/** Plots of searches, from trials as the store has them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchPlotQuerySchema } from '../../../src/domain/reports/plots.ts';
import type { ListedTrial } from '../../../src/domain/searches/leaderboard.ts';
import type { Search } from '../../../src/domain/searches/representation.ts';
import { searchRequestSchema } from '../../../src/domain/searches/request.ts';
import type { AtelierError } from '../../../src/errors.ts';
import { drawSearchPlot } from '../../../src/services/searches/plots.ts';

const request = searchRequestSchema.parse({
  dataset: 'fashion-mnist',
  vary: [
    { path: '/network/hidden', choices: [[], [40, 20]] },
    { path: '/training/optimizer/learningRate', min: 0.01, max: 1, scale: 'log' },
  ],
  method: { type: 'random', trials: 4 },
  halving: { factor: 2 },
  repeats: 2,
  objective: 'validationAccuracy',
});
const search: Search = {
  ...request,
  modelName: 'tuned',
  id: 'sea_01JDNW2E4V6Q8T0Y2A4C6E8G0J',
  status: 'running',
  createdAt: '2026-01-01T00:00:00.000Z',
  finishedAt: null,
  finishing: false,
  finishReason: null,
  pauseReason: null,
  rungs: [1, 2],
  validationImages: 1000,
  progress: {
    trials: 4,
    waiting: 1,
    active: 0,
    paused: 0,
    succeeded: 0,
    skipped: 0,
    stopped: 2,
    failed: 1,
    cancelled: 0,
    epochs: 6,
    plannedEpochs: 12,
  },
  best: { trial: 2, values: {}, value: 0.85, validationLoss: 0.5, validationAccuracy: 0.85, epoch: 2 },
  finalJob: null,
  model: null,
  publication: null,
  error: null,
};

/** A trial whose two repeats differ by 0.02 at every rung that it has reached. */
function trial(number: number, setting: readonly unknown[], accuracies: readonly number[]): ListedTrial {
  const trainings = [-0.01, 0.01].map((by, repeat) => ({
    repeat,
    status: 'paused' as const,
    pauseReason: null,
    jobId: `job_${number}`,
    epochs: accuracies.length,
    error: null,
    measured: accuracies.map((accuracy, rung) => ({
      epoch: rung + 1,
      validationLoss: 1 - accuracy,
      validationAccuracy: accuracy + by,
    })),
  }));
  return { trial: number, rung: accuracies.length, isOut: false, setting, trainings };
}

const trials = [
  trial(1, [[], 0.1], [0.7]),
  trial(2, [[40, 20], 0.2], [0.8, 0.85]),
  trial(3, [[], 0.9], [0.6]),
  trial(4, [[40, 20], 0.05], []),
];
const draw = (plot: 'history' | 'slices' | 'rungs', shown: Search = search) =>
  drawSearchPlot(plot, shown, trials, searchPlotQuerySchema.parse({})).svg;

test('plots show means over the repeats, in per cent, and the best trial of the search', () => {
  assert.match(draw('history'), />best 85<.*>The value of a stopped trial is that of its last rung\.</);
  const rungs = draw('rungs');
  assert.match(rungs, />tuned · sea_01JDNW2E4V6Q8T0Y2A4C6E8G0J</);
  for (const text of ['1 (3 trials)', '2 (1 trial)', 'trial 2: 85'])
    assert.ok(rungs.includes(`>${text}<`), text);
  const slices = draw('slices');
  for (const text of ['hidden', 'none', '40-20', 'learningRate'])
    assert.ok(slices.includes(`>${text}<`), text);
  assert.match(
    slices,
    /The best of 3 trials is trial 2: .* 85\. 1 trial has no value\. .*Without a value to show: 1\./,
  );
});

test('rejects the plot of a search without a result', () => {
  assert.throws(
    () => draw('slices', { ...search, best: null }),
    (error: AtelierError) =>
      error.code === 'impossible-request' && /no result to draw\. Try again/.test(error.message),
  );
});

test('the history has the trials in order of their numbers, whatever their rank', () => {
  const numbers = [...draw('history').matchAll(/>([1-9])</g)].map(([, number]) => Number(number));
  assert.deepEqual(numbers.slice(0, 4), [1, 2, 3, 4]);
});
