import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLeaderboardView, formatLeaderboard } from '../../../cli/follow/leaderboard.ts';
import type { Search, SearchEvent, Trial } from '../../../src/domain/searches/representation.ts';

const trial: Trial = {
  trial: 1,
  values: { '/training/l2': 0.1 },
  status: 'succeeded',
  jobs: [],
  epochs: 16,
  rank: 1,
  value: 0.5,
  standardError: null,
  validationAccuracy: 0.75,
  withinOneError: false,
  rungs: [],
} as unknown as Trial;

test('the epochs of repeats are shown as repeats times epochs, or as a sum', () => {
  const vary = [{ path: '/training/l2', choices: [0.1] }];
  const epochs = (count: number, repeats: number) =>
    formatLeaderboard({ vary, objective: 'validationLoss', repeats }, [{ ...trial, epochs: count }])
      .split('\n')[1]!
      .match(/0\.7500 +(.+?) +succeeded/)![1];
  assert.equal(epochs(16, 1), '16');
  assert.equal(epochs(16, 2), '2 × 8');
  assert.equal(epochs(15, 2), '15 in all');
});

const search = {
  vary: [
    { path: '/training/l2', choices: [0.1] },
    { path: '/network/rate', choices: [1] },
    { path: '/training/rate', choices: [1] },
  ],
  objective: 'validationLoss',
  repeats: 1,
  status: 'running',
  progress: { epochs: 3, plannedEpochs: 20, active: 1, waiting: 2 },
} as unknown as Search;
const values = { '/training/l2': 0.1, '/network/rate': [1], '/training/rate': 2 };

test('marks trials within one error, and names a setting by its path only if its name is not unique', () => {
  const trials = [
    { ...trial, values, withinOneError: true },
    { ...trial, trial: 2, values, rank: null, value: null, validationAccuracy: null },
  ];
  assert.equal(
    formatLeaderboard(search, trials),
    `    TRIAL  l2   /network/rate  /training/rate  validationLoss  accuracy  epochs  status
1*  1      0.1  [1]            2               0.5000          0.7500    16      succeeded
-   2      0.1  [1]            2               -               -         16      succeeded`,
  );
});

/** What a call of a view writes. */
function viewOf(columns: number | null) {
  const written: string[] = [];
  const view = createLeaderboardView((text) => void written.push(text), columns);
  return {
    view,
    by(call: () => void): string {
      written.length = 0;
      call();
      return written.join('');
    },
  };
}

test('redraws at most fifteen trials in place on a terminal, cut to its width', () => {
  const trials = Array.from({ length: 17 }, (_, n) => ({ ...trial, trial: n + 1, values }));
  const { view, by } = viewOf(60);
  const lines = by(() => view.draw(search, trials)).split('\n');
  assert.equal(lines.length, 1 + 15 + 1 + 1 + 1);
  assert.ok(lines[0]!.startsWith('\r\u001B[J'));
  assert.deepEqual(lines.slice(16), [
    '… and 2 more',
    'running: 3 of at most 20 epochs, 1 active, 2 waiting',
    '',
  ]);
  assert.equal(lines[1]!.length, 59);
  assert.ok(by(() => view.draw(search, trials.slice(0, 15))).startsWith('\u001B[18A\r\u001B[J'));
  assert.ok(by(() => view.draw(search, [])).startsWith('\u001B[17A\r\u001B[J'));
  const event = { type: 'status', data: { to: 'running' } } as unknown as SearchEvent;
  assert.equal(by(() => view.print(event)) + by(view.showLost), '');
});

test('prints a line per event without a terminal', () => {
  const { view, by } = viewOf(null);
  const print = (type: string, data: object) =>
    by(() => view.print({ type, data } as unknown as SearchEvent));
  assert.equal(print('status', { to: 'running' }), 'status: running\n');
  const result = { trial: 2, status: 'succeeded', epoch: 4, value: 0.5, validationAccuracy: 0.75 };
  assert.equal(print('trial', result), 'trial 2: succeeded after epoch 4: value 0.5000, accuracy 0.7500\n');
  assert.equal(print('trial', { ...result, value: null }), 'trial 2: succeeded\n');
  assert.equal(print('rung', { epoch: 4, continued: [1, 3] }), 'after epoch 4, trials 1, 3 continue\n');
  assert.equal(
    print('final', { trial: 2, jobId: 'job_1' }),
    'final training with the setting of trial 2: job_1\n',
  );
  assert.equal(print('warning', { message: 'Slow\u0007.' }), 'warning: Slow\uFFFD.\n');
  assert.equal(print('warning', { code: 'x' }), 'warning: {"code":"x"}\n');
  assert.equal(by(view.showLost), 'connection lost, reconnecting\n');
  assert.equal(
    by(() => view.draw(search, [])),
    '',
  );
});
