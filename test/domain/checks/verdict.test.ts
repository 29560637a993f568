import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideVerdict, describeVerdict } from '../../../src/domain/checks/verdict.ts';

const mcnemar = (pValue: number) => ({ method: 'chi-squared', statistic: 1, pValue }) as never;
const COUNTS = { n00: 100, n01: 50, n10: 150, n11: 1700 };

test('a difference counts if p is below 0.05, for the version that is correct more often', () => {
  assert.equal(decideVerdict(COUNTS, mcnemar(0.0499)), 'better');
  assert.equal(decideVerdict(COUNTS, mcnemar(0.05)), 'no-difference');
  assert.equal(decideVerdict({ ...COUNTS, n01: 151 }, mcnemar(0.01)), 'worse');
});

test('the verdict is a sentence with its numbers', () => {
  const rest =
    "of 2,000 test images, 92.50 % instead of 87.50 % are correct (McNemar's test: n10 = 150, n01 = 50,";
  for (const [pValue, relation, shown] of [
    [0.00009, 'is significantly better than', 'p < 0.0001'],
    [0.0001, 'is significantly better than', 'p = 0.0001'],
    [0.0623, 'does not differ significantly from', 'p = 0.0623'],
  ] as const)
    assert.equal(
      describeVerdict('m@2', 'm@1', 'test images', COUNTS, mcnemar(pValue)),
      `m@2 ${relation} m@1: ${rest} ${shown})`,
    );
});
