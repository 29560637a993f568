/** Ranking of trials, standard errors, and the leaderboard. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countProgress, type ListedTrial, rankTrials } from '../../../src/domain/searches/leaderboard.ts';

const vary = [{ path: '/training/l2', choices: [0, 1, 2, 3] }];

const RUNNING = { finishing: false, finishedAt: null };

type Training = ListedTrial['trainings'][number];

function trial(
  number: number,
  figures: readonly [loss: number, accuracy: number][],
  changes: Partial<Training> = {},
): ListedTrial {
  const trainings = figures.map(
    ([validationLoss, validationAccuracy], repeat): Training => ({
      repeat,
      status: 'succeeded',
      pauseReason: null,
      measured: [{ epoch: 5, validationLoss, validationAccuracy }],
      jobId: `job_${number}${repeat}`,
      epochs: 5,
      error: null,
      ...changes,
    }),
  );
  return { trial: number, rung: 0, isOut: false, setting: [number], trainings };
}

test('marks the trials within one standard error of an accuracy on the validation images', () => {
  // √(0.9 · 0.1 / 900) = 0.01
  const trials = [trial(1, [[0.3, 0.889]]), trial(2, [[0.2, 0.9]]), trial(3, [[0.4, 0.891]])];
  const ranked = rankTrials(trials, { vary, objective: 'validationLoss', ...RUNNING }, 900);
  assert.deepEqual(
    ranked.map(({ rank, trial, withinOneError, standardError }) => [
      rank,
      trial,
      withinOneError,
      standardError,
    ]),
    [
      [1, 2, true, null],
      [2, 1, false, null],
      [3, 3, true, null],
    ],
  );
  const [best] = rankTrials(trials, { vary, objective: 'validationAccuracy', ...RUNNING }, 900);
  assert.equal(best!.trial, 2);
  assert.ok(Math.abs(best!.standardError! - 0.01) < 1e-12);
  assert.deepEqual(best!.values, { '/training/l2': 2 });
});

test('ranks repeats by their mean, with the standard error of the mean', () => {
  const trials = [
    trial(1, [
      [0.4, 0.8],
      [0.2, 0.9],
    ]),
    trial(2, [
      [0.35, 0.8],
      [0.35, 0.8],
    ]),
    trial(3, [
      [0.5, 0.8],
      [0.4, 0.8],
    ]),
  ];
  const ranked = rankTrials(trials, { vary, objective: 'validationLoss', ...RUNNING }, 900);
  assert.deepEqual(
    ranked.map(({ trial }) => trial),
    [1, 2, 3],
  );
  assert.ok(Math.abs(ranked[0]!.value! - 0.3) < 1e-12);
  assert.ok(Math.abs(ranked[0]!.standardError! - 0.1) < 1e-12);
  assert.deepEqual(
    ranked.map(({ withinOneError }) => withinOneError),
    [true, true, false],
  );
  assert.deepEqual(ranked[0]!.jobs, ['job_10', 'job_11']);
});

test('failed trials come last without a rank, and stopped trials are marked', () => {
  const failed = trial(1, [[0.1, 0.9]], { status: 'failed', error: 'The loss became NaN.' });
  const stopped = { ...trial(2, [[0.5, 0.8]], { status: 'cancelled' as const }), isOut: true };
  const waiting = trial(3, [[0, 0]], { status: 'waiting', measured: [], jobId: null, epochs: 0 });
  const trials = [failed, stopped, waiting];
  const ranked = rankTrials(trials, { vary, objective: 'validationLoss', ...RUNNING }, 900);
  assert.deepEqual(
    ranked.map(({ rank, trial, status, error }) => [rank, trial, status, error]),
    [
      [1, 2, 'stopped', null],
      [null, 3, 'waiting', null],
      [null, 1, 'failed', 'The loss became NaN.'],
    ],
  );
  const progress = countProgress(trials, RUNNING, 15);
  assert.deepEqual(progress, {
    trials: 3,
    waiting: 1,
    active: 0,
    paused: 0,
    succeeded: 0,
    stopped: 1,
    skipped: 0,
    failed: 1,
    cancelled: 0,
    epochs: 10,
    plannedEpochs: 15,
  });
  const cancelled = trial(4, [[0.3, 0.8]], { status: 'cancelled' });
  const { failed: failures, cancelled: cancellations } = countProgress([...trials, cancelled], RUNNING, 20);
  assert.deepEqual([failures, cancellations], [1, 1]);
});

test('trials that have not started are skipped once no more trials start', () => {
  const waits = { status: 'waiting', measured: [], jobId: null, epochs: 0 } as const;
  const never = trial(1, [[0, 0]], waits);
  const begun = trial(2, [[0.5, 0.8]]);
  const trials = [
    never,
    { ...begun, trainings: [...begun.trainings, { ...never.trainings[0]!, repeat: 1 }] },
  ];
  const at = '2026-11-26T20:15:04.023Z';
  for (const over of [
    { finishing: true, finishedAt: null },
    { finishing: true, finishedAt: at },
    { finishing: false, finishedAt: at },
  ]) {
    const ranked = rankTrials(trials, { vary, objective: 'validationLoss', ...over }, 900);
    assert.deepEqual(
      ranked.map(({ trial, status }) => [trial, status]),
      [
        [1, 'skipped'],
        [2, 'stopped'],
      ],
    );
    const { waiting, skipped, stopped } = countProgress(trials, over, 15);
    assert.deepEqual([waiting, skipped, stopped], [0, 1, 1]);
  }
});
