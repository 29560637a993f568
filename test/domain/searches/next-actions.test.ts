/** Decisions of a search, as a table: the state of its trials, and what is due. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sumActiveSeconds } from '../../../src/domain/searches/active-time.ts';
import { nextActions, type SearchState } from '../../../src/domain/searches/next-actions.ts';
import type { TrainingState, TrialState } from '../../../src/domain/searches/trials.ts';

const measured = (...losses: number[]) =>
  losses.map((validationLoss, n) => ({
    epoch: 2 ** n,
    validationLoss,
    validationAccuracy: 1 - validationLoss,
  }));

type Status = TrainingState['status'];

function training(status: Status, losses: readonly number[] = [], repeat = 0): TrainingState {
  return { repeat, status, pauseReason: null, measured: measured(...losses) };
}

/** One trial of one training. */
function trial(
  number: number,
  status: Status,
  losses: number[] = [],
  changes: Partial<TrialState> = {},
): TrialState {
  return { trial: number, rung: 0, isOut: false, trainings: [training(status, losses)], ...changes };
}

const FLAT: SearchState = {
  status: 'running',
  isFinishing: false,
  isOutOfTime: false,
  rungs: 1,
  halving: null,
  objective: 'validationLoss',
  parallel: 2,
  trainsFinally: true,
  trials: [],
  final: null,
};
const HALVED: SearchState = { ...FLAT, rungs: 3, halving: { factor: 2, minEpochs: 1 } };
const goOn = (number: number, repeat = 0) => ({ type: 'start', training: { trial: number, repeat } });
const stop = (number: number, repeat = 0) => ({ type: 'cancel', training: { trial: number, repeat } });
const pause = (number: number) => ({ type: 'pause', training: { trial: number, repeat: 0 } });
const become = (status: string, reason: string | null = null) => ({ type: 'become', status, reason });
const out = { isOut: true };
const on = { rung: 1 };

const CASES: readonly [title: string, state: SearchState, actions: readonly unknown[]][] = [
  [
    'starts as many trials as may training at once, in their order',
    { ...FLAT, trials: [trial(1, 'waiting'), trial(2, 'waiting'), trial(3, 'waiting')] },
    [goOn(1), goOn(2)],
  ],
  [
    'counts queued, running, pausing and cancelling jobs',
    {
      ...FLAT,
      parallel: 3,
      trials: [trial(1, 'queued'), trial(2, 'pausing'), trial(3, 'cancelling'), trial(4, 'waiting')],
    },
    [],
  ],
  [
    'starts no further trial than those with room, however far the others are',
    {
      ...FLAT,
      trials: [trial(1, 'running'), trial(2, 'succeeded', [0.5]), trial(3, 'waiting'), trial(4, 'waiting')],
    },
    [goOn(3)],
  ],
  ['waits for the last trial', { ...FLAT, trials: [trial(1, 'succeeded', [0.5]), trial(2, 'running')] }, []],
  [
    'trains the best setting finally; of equal ones the first',
    {
      ...FLAT,
      trials: [trial(1, 'succeeded', [0.6]), trial(2, 'succeeded', [0.5]), trial(3, 'succeeded', [0.5])],
    },
    [{ type: 'final', trial: 2 }],
  ],
  [
    'ranks by the accuracy if that is the objective',
    {
      ...FLAT,
      objective: 'validationAccuracy',
      trials: [
        {
          ...trial(1, 'succeeded'),
          trainings: [
            {
              ...training('succeeded'),
              measured: [{ epoch: 1, validationLoss: 0.1, validationAccuracy: 0.7 }],
            },
          ],
        },
        {
          ...trial(2, 'succeeded'),
          trainings: [
            {
              ...training('succeeded'),
              measured: [{ epoch: 1, validationLoss: 0.9, validationAccuracy: 0.8 }],
            },
          ],
        },
      ],
    },
    [{ type: 'final', trial: 2 }],
  ],
  [
    'ends without a final training if none is wanted',
    { ...FLAT, trainsFinally: false, trials: [trial(1, 'succeeded', [0.5])] },
    [become('succeeded')],
  ],
  [
    'fails if no trial has a result',
    { ...FLAT, trials: [trial(1, 'failed'), trial(2, 'cancelled')] },
    [
      become(
        'failed',
        'No trial has a result: all of them failed or were cancelled. Their jobs hold the reasons.',
      ),
    ],
  ],
  [
    'ranks a failed trial last',
    { ...FLAT, trials: [trial(1, 'failed', [0.1]), trial(2, 'succeeded', [0.9])] },
    [{ type: 'final', trial: 2 }],
  ],
  [
    'decides a rung when all its trials have reached it',
    {
      ...HALVED,
      trials: [
        trial(1, 'paused', [0.4]),
        trial(2, 'paused', [0.2]),
        trial(3, 'paused', [0.3]),
        trial(4, 'paused', [0.5]),
      ],
    },
    [{ type: 'decide', rung: 0, continued: [2, 3], stopped: [1, 4] }],
  ],
  [
    'names the trials that continue in the order of their numbers',
    {
      ...HALVED,
      trials: [
        trial(1, 'paused', [0.3]),
        trial(2, 'paused', [0.2]),
        trial(3, 'paused', [0.5]),
        trial(4, 'paused', [0.4]),
      ],
    },
    [{ type: 'decide', rung: 0, continued: [1, 2], stopped: [3, 4] }],
  ],
  [
    'does not decide a rung while a trial is on its way, even if its epoch is measured',
    { ...HALVED, trials: [trial(1, 'paused', [0.4]), trial(2, 'running', [0.2])] },
    [],
  ],
  [
    'starts the other trials of a rung before it is decided',
    { ...HALVED, parallel: 1, trials: [trial(1, 'paused', [0.4]), trial(2, 'waiting')] },
    [goOn(2)],
  ],
  [
    'lets a trial that was paused before its rung go on',
    { ...HALVED, trials: [trial(1, 'paused'), trial(2, 'paused', [0.2])] },
    [goOn(1)],
  ],
  [
    'continues at least one trial',
    {
      ...HALVED,
      halving: { factor: 4, minEpochs: 1 },
      trials: [trial(1, 'paused', [0.4]), trial(2, 'paused', [0.2])],
    },
    [{ type: 'decide', rung: 0, continued: [2], stopped: [1] }],
  ],
  [
    'rounds the number of trials that continue down, and counts failed ones',
    { ...HALVED, trials: [trial(1, 'paused', [0.4]), trial(2, 'failed'), trial(3, 'paused', [0.3])] },
    [{ type: 'decide', rung: 0, continued: [3], stopped: [1, 2] }],
  ],
  [
    'a trial that was cancelled by a client does not continue, whatever its figure',
    { ...HALVED, trials: [trial(1, 'cancelled', [0.1]), trial(2, 'paused', [0.2])] },
    [{ type: 'decide', rung: 0, continued: [2], stopped: [1] }],
  ],
  [
    'decides nothing if every trial of a rung was cancelled, and trains the best one finally',
    { ...HALVED, trials: [trial(1, 'cancelled', [0.4]), trial(2, 'cancelled', [0.2])] },
    [{ type: 'final', trial: 2 }],
  ],
  [
    'trains the best of the trials finally if all of them were stopped',
    { ...HALVED, trials: [trial(1, 'cancelled', [0.4], out), trial(2, 'cancelled', [0.2], out)] },
    [{ type: 'final', trial: 2 }],
  ],
  [
    'cancels the trials that were stopped before anything else',
    { ...HALVED, trials: [trial(1, 'paused', [0.4], out), trial(2, 'paused', [0.2], on)] },
    [stop(1)],
  ],
  [
    'continues the others from their checkpoints',
    { ...HALVED, trials: [trial(1, 'cancelled', [0.4], out), trial(2, 'paused', [0.2], on)] },
    [goOn(2)],
  ],
  [
    'the last rung ends with the training',
    {
      ...HALVED,
      trials: [trial(1, 'cancelled', [0.4], out), trial(2, 'succeeded', [0.2, 0.1, 0.3], { rung: 2 })],
    },
    [{ type: 'final', trial: 2 }],
  ],
  [
    'if the last trial fails, the best of those that got furthest wins',
    {
      ...HALVED,
      trials: [
        trial(1, 'cancelled', [0.1], out),
        trial(2, 'cancelled', [0.3, 0.3], out),
        trial(3, 'failed', [0.2, 0.2], { rung: 2 }),
      ],
    },
    [{ type: 'final', trial: 2 }],
  ],
  [
    'compares the means of repeats, once all of them have ended',
    {
      ...FLAT,
      trials: [
        {
          ...trial(1, 'waiting'),
          trainings: [training('succeeded', [0.1]), training('succeeded', [0.5], 1)],
        },
        {
          ...trial(2, 'waiting'),
          trainings: [training('succeeded', [0.25]), training('succeeded', [0.25], 1)],
        },
      ],
    },
    [{ type: 'final', trial: 2 }],
  ],
  [
    'cancels the other repeats of a trial that failed',
    {
      ...FLAT,
      trials: [
        {
          ...trial(1, 'waiting'),
          trainings: [training('failed'), training('running', [], 1), training('waiting', [], 2)],
        },
        trial(2, 'running'),
      ],
    },
    [stop(1, 1)],
  ],
  [
    'waits for the final training',
    { ...FLAT, trials: [trial(1, 'succeeded', [0.5])], final: { status: 'running', pauseReason: null } },
    [],
  ],
  [
    'ends with the final training',
    { ...FLAT, trials: [trial(1, 'succeeded', [0.5])], final: { status: 'succeeded', pauseReason: null } },
    [become('succeeded')],
  ],
  [
    'fails with the final training',
    { ...FLAT, trials: [trial(1, 'succeeded', [0.5])], final: { status: 'failed', pauseReason: null } },
    [become('failed', 'The final training failed.')],
  ],
  [
    'a final training that was paused with the search goes on',
    { ...FLAT, trials: [trial(1, 'succeeded', [0.5])], final: { status: 'paused', pauseReason: null } },
    [{ type: 'start', training: 'final' }],
  ],
  [
    'pauses with a job that the service paused',
    {
      ...FLAT,
      trials: [
        { ...trial(1, 'paused'), trainings: [{ ...training('paused'), pauseReason: 'no memory' }] },
        trial(2, 'waiting'),
      ],
    },
    [become('pausing', 'no memory')],
  ],
  [
    'pauses what is queued or runs',
    {
      ...FLAT,
      status: 'pausing',
      trials: [trial(1, 'queued'), trial(2, 'running'), trial(3, 'waiting'), trial(4, 'succeeded', [1])],
    },
    [pause(1), pause(2)],
  ],
  [
    'is not paused before its jobs are',
    { ...FLAT, status: 'pausing', trials: [trial(1, 'pausing'), trial(2, 'paused')] },
    [],
  ],
  [
    'is paused with its jobs',
    { ...FLAT, status: 'pausing', trials: [trial(1, 'paused'), trial(2, 'waiting')] },
    [become('paused')],
  ],
  [
    'does nothing while it is paused',
    { ...FLAT, status: 'paused', trials: [trial(1, 'paused'), trial(2, 'waiting')] },
    [],
  ],
  [
    'cancels what has not ended',
    {
      ...FLAT,
      status: 'cancelling',
      trials: [trial(1, 'queued'), trial(2, 'paused'), trial(3, 'succeeded', [1]), trial(4, 'waiting')],
    },
    [stop(1), stop(2)],
  ],
  [
    'is cancelled with its jobs',
    { ...FLAT, status: 'cancelling', trials: [trial(1, 'cancelled'), trial(2, 'waiting')] },
    [become('cancelled')],
  ],
  [
    'finishing, cancels the trials that have not ended',
    {
      ...FLAT,
      isFinishing: true,
      trials: [trial(1, 'succeeded', [0.5]), trial(2, 'running'), trial(3, 'waiting')],
    },
    [stop(2)],
  ],
  [
    'finishing, waits for them',
    { ...FLAT, isFinishing: true, trials: [trial(1, 'succeeded', [0.5]), trial(2, 'cancelling')] },
    [],
  ],
  [
    'finishing, trains the best one of those that got furthest',
    {
      ...HALVED,
      isFinishing: true,
      trials: [trial(1, 'cancelled', [0.1]), trial(2, 'cancelled', [0.3, 0.2]), trial(3, 'waiting')],
    },
    [{ type: 'final', trial: 2 }],
  ],
  [
    'finishes once its time is used up, before anything starts, goes on or is decided',
    { ...HALVED, isOutOfTime: true, trials: [trial(1, 'paused', [0.4]), trial(2, 'paused', [0.5])] },
    [{ type: 'finish' }],
  ],
  [
    'does not finish early if every trial has ended',
    { ...FLAT, isOutOfTime: true, trials: [trial(1, 'succeeded', [0.4]), trial(2, 'cancelled', [], out)] },
    [{ type: 'final', trial: 1 }],
  ],
  [
    'pauses as the service demands, although its time is used up',
    {
      ...FLAT,
      isOutOfTime: true,
      trials: [{ ...trial(1, 'paused'), trainings: [{ ...training('paused'), pauseReason: 'disk full' }] }],
    },
    [become('pausing', 'disk full')],
  ],
  [
    'keeps the final training, however late it is',
    {
      ...FLAT,
      isOutOfTime: true,
      trials: [trial(1, 'succeeded', [0.4]), trial(2, 'cancelled')],
      final: { status: 'running', pauseReason: null },
    },
    [],
  ],
  [
    'finishing, fails if no trial has a result',
    { ...FLAT, isFinishing: true, isOutOfTime: true, trials: [trial(1, 'cancelled'), trial(2, 'waiting')] },
    [become('failed', 'No trial had a result when the search was finished.')],
  ],
];

for (const [title, state, actions] of CASES) {
  test(title, () => assert.deepEqual(nextActions(state), actions));
}

for (const status of ['succeeded', 'failed', 'cancelled'] as const) {
  test(`does nothing once it has ${status}`, () => {
    assert.deepEqual(nextActions({ ...FLAT, status, trials: [trial(1, 'waiting')] }), []);
  });
}

test('counts the time in which a search is not paused, in any process', () => {
  const at = (seconds: number) => new Date(1e12 + 1000 * seconds);
  const change = (seconds: number, to: string) => ({ at: at(seconds).toISOString(), to });
  const paused = [change(0, 'running'), change(10, 'pausing'), change(12, 'paused')];
  assert.equal(sumActiveSeconds(paused.slice(0, 1), at(7)), 7);
  assert.equal(sumActiveSeconds(paused, at(500)), 12);
  assert.equal(sumActiveSeconds([...paused, change(100, 'running')], at(103)), 15);
  assert.equal(sumActiveSeconds([change(100, 'running')], at(90)), 0);
});
