import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatLeaderboard } from '../../../cli/follow/leaderboard.ts';
import type { Trial } from '../../../src/domain/searches/representation.ts';

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
