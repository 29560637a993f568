import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, describeLayers } from '../../page/format.ts';

test('describes the layers of a network in words', () => {
  const texts = [
    describeLayers({ convolutions: [], hidden: [40] }),
    describeLayers({ convolutions: [], hidden: [256, 128] }),
    describeLayers({ convolutions: [16, [32, 32]], hidden: [128] }),
    describeLayers({ convolutions: [8], hidden: [] }),
    describeLayers({ convolutions: [], hidden: [] }),
  ];
  assert.deepEqual(texts, [
    '40 hidden units',
    '256 and 128 hidden units',
    'convolutions (16)-(32 32), then 128 hidden units',
    'convolutions (8)',
    'no hidden layers',
  ]);
});

test('groups the digits of an integer like Intl', () => {
  for (const value of [0, 7, 100, 999, 1000, -1000, -100, 12_345, 999_999, 1_234_567]) {
    assert.equal(count(value), value.toLocaleString('en'));
  }
});
