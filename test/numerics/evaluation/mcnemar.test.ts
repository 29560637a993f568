import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chiSquareTail, mcnemar } from '../../../src/numerics/evaluation/mcnemar.ts';
import { assertNear } from '../fixtures.ts';
import { readFixture } from './fixtures.ts';

test("p-values equal SciPy's, deep into the tail", () => {
  for (const [b, c, expected] of readFixture<[number, number, number][]>('mcnemar.json')) {
    assertNear([mcnemar(b, c).pValue], [expected], 1e-12, `${b} against ${c}`);
  }
});

test("the tail of the χ² distribution equals SciPy's on both sides of the change of formula", () => {
  for (const [x, expected] of readFixture<[number, number][]>('chi-square.json')) {
    assertNear([chiSquareTail(x)], [expected], 1e-12, `P(χ² > ${x})`);
  }
});

test('uses the exact test below 25 differing predictions and χ² above, whichever network they favour', () => {
  assert.deepEqual(
    [mcnemar(4, 20), mcnemar(5, 20)].map(({ method, statistic }) => [method, statistic]),
    [
      ['exact-binomial', null],
      ['chi-square-with-continuity-correction', 14 ** 2 / 25],
    ],
  );
  assert.deepEqual(mcnemar(20, 4), mcnemar(4, 20));
  assert.deepEqual(mcnemar(20, 60), mcnemar(60, 20));
});

test('networks with equally many correct predictions do not differ', () => {
  for (const count of [0, 1, 12, 13, 500]) assert.equal(mcnemar(count, count).pValue, 1);
});
