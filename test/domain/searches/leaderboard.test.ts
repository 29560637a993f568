/** What the leaderboard shows of a trial besides its rank; trials.test.ts has the ranking. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  countProgress,
  findBest,
  type ListedTrial,
  rankTrials,
} from '../../../src/domain/searches/leaderboard.ts';
import { type Standing, withinOneError } from '../../../src/domain/searches/trials.ts';

const search = {
  vary: [{ path: '/training/l2' }, { path: '/training/l1' }],
  objective: 'validationLoss' as const,
  finishing: false,
  finishedAt: null,
};
type Status = ListedTrial['trainings'][number]['status'];

function trial(number: number, statuses: readonly Status[], losses: readonly number[] = []): ListedTrial {
  const trainings = statuses.map((status, repeat) => ({
    ...{
      repeat,
      status,
      pauseReason: null,
      epochs: number,
      error: status === 'failed' ? `e${repeat}` : null,
    },
    jobId: status === 'waiting' ? null : `job_${number}${repeat}`,
    measured: losses.map((validationLoss, n) => ({ epoch: n + 1, validationLoss, validationAccuracy: 0.5 })),
  }));
  return { trial: number, rung: 0, isOut: false, setting: [number, `x${number}`], trainings };
}

test('the status of a trial is that of the training that decides about it', () => {
  for (const [statuses, status] of [
    [['succeeded', 'failed'], 'failed'],
    [['cancelled', 'running'], 'cancelled'],
    [['paused', 'queued', 'cancelling', 'pausing', 'running'], 'running'],
    [['cancelling', 'pausing'], 'pausing'],
    [['queued', 'cancelling'], 'cancelling'],
    [['paused', 'queued'], 'queued'],
    [['waiting', 'paused'], 'paused'],
    [['succeeded', 'waiting'], 'waiting'],
    [['succeeded', 'succeeded'], 'succeeded'],
  ] as const) {
    const [ranked] = rankTrials([trial(1, statuses)], search, 100);
    assert.equal(ranked!.status, status, statuses.join());
  }
  const out = (statuses: readonly Status[]) =>
    rankTrials([{ ...trial(1, statuses), isOut: true }], search, 100)[0]!.status;
  assert.deepEqual([out(['running']), out(['failed'])], ['stopped', 'failed']);
});

test('a trial has its values, figures, jobs and first error', () => {
  const [ranked] = rankTrials(
    [trial(2, ['succeeded', 'failed', 'waiting', 'failed'], [0.5, 0.25])],
    search,
    100,
  );
  assert.deepEqual(ranked, {
    ...{
      rank: null,
      trial: 2,
      values: { '/training/l2': 2, '/training/l1': 'x2' },
      status: 'failed',
      rung: 2,
    },
    ...{
      value: 0.25,
      standardError: 0,
      withinOneError: false,
      validationLoss: 0.25,
      validationAccuracy: 0.5,
    },
    ...{ epoch: 2, epochs: 8, jobs: ['job_20', 'job_21', 'job_23'], error: 'e1' },
  });
});

test('the best trial is the first with a value that has not failed', () => {
  const trials = [trial(1, ['failed'], [0.1]), trial(2, ['running'], [0.4]), trial(3, ['running'], [0.3])];
  assert.deepEqual(findBest(trials, search), {
    ...{ trial: 3, values: { '/training/l2': 3, '/training/l1': 'x3' }, value: 0.3 },
    ...{ validationLoss: 0.3, validationAccuracy: 0.5, epoch: 1 },
  });
  assert.equal(findBest(trials.slice(0, 1), search), null);
  assert.equal(findBest([trial(1, ['running'])], search), null);
  assert.equal(findBest([], search), null);
});

test('trials are counted by their status', () => {
  const statuses: readonly Status[] = [
    ...(['queued', 'running', 'pausing', 'cancelling', 'paused', 'paused'] as const),
    ...(['succeeded', 'succeeded', 'succeeded', 'failed', 'cancelled', 'waiting'] as const),
  ];
  const trials = statuses.map((status, n) => trial(n + 1, [status]));
  const { epochs, plannedEpochs, ...counts } = countProgress(trials, search, 99);
  assert.deepEqual([epochs, plannedEpochs], [78, 99]);
  assert.deepEqual(counts, {
    ...{
      trials: 12,
      waiting: 1,
      active: 4,
      paused: 2,
      succeeded: 3,
      stopped: 0,
      skipped: 0,
      failed: 1,
      cancelled: 1,
    },
  });
});

test('only trials that got as far as the best and have not failed are within its error', () => {
  const trials = [
    trial(1, ['succeeded'], [0.5, 0.3]),
    trial(2, ['succeeded'], [0.5, 0.4]),
    trial(3, ['cancelled'], [0.2]),
    trial(4, ['failed'], [0.5, 0.1]),
  ];
  const within = (listed: readonly ListedTrial[]) =>
    rankTrials(listed, search, 100).flatMap((ranked) => (ranked.withinOneError ? [ranked.trial] : []));
  assert.deepEqual(within(trials), [1, 2]);
  const repeated = trials.map((each) => ({
    ...each,
    trainings: each.trainings.flatMap((one) => [one, one]),
  }));
  assert.deepEqual(within(repeated), [1]);
});

test('a trial at exactly one error from the best is within it', () => {
  const standing = (trial: number, value: number, accuracy: number, deviation: number | null): Standing => ({
    ...{ trial, reached: 1, isFailed: false, value, deviation, epoch: 1 },
    ...{ validationLoss: value, validationAccuracy: accuracy },
  });
  const within = (deviation: number | null, objective: 'validationLoss' | 'validationAccuracy') => [
    ...withinOneError(
      [
        standing(1, 0.5, 0.5, deviation),
        standing(2, 0.625, 0.45, null),
        standing(3, 0.626, 0.449, null),
        standing(4, 0.375, 0.6, null),
      ],
      objective,
      100,
    ),
  ];
  // √(0.5 · 0.5 / 100) = 0.05
  assert.deepEqual(within(null, 'validationLoss'), [1, 2, 4]);
  assert.deepEqual(within(0.125, 'validationLoss'), [1, 2, 4]);
  assert.deepEqual(within(0.125, 'validationAccuracy'), [1, 2, 3, 4]);
  assert.deepEqual(within(0.124, 'validationAccuracy'), [1, 2, 3]);
  assert.deepEqual(withinOneError([], 'validationLoss', 100), new Set());
});
