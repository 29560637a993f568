import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradientCheckRequestSchema } from '../../../src/domain/checks/gradient.ts';

test('a check is of a network or of a model, by central differences unless it says otherwise', () => {
  assert.deepEqual(gradientCheckRequestSchema.parse({}), { scheme: 'central', seed: 0 });
  const network = { hidden: [3] };
  for (const one of [{ network }, { model: 'digits@1' }]) {
    assert.ok(gradientCheckRequestSchema.safeParse(one).success);
  }
  const { error } = gradientCheckRequestSchema.safeParse({ network, model: 'digits@1' });
  assert.deepEqual(
    error?.issues.map(({ path, message }) => [...path, message]),
    [['model', 'must not be combined with network']],
  );
});

test('the numbers of a check have limits', () => {
  const isValid = (request: object) => gradientCheckRequestSchema.safeParse(request).success;
  for (const right of [
    { examples: 1000 },
    { examples: [0] },
    { stepSize: 1e-12 },
    { stepSize: 0.1 },
    { tolerance: 1 },
    { coordinates: 'all' },
    { coordinates: { sample: 10_000_000 } },
  ]) {
    assert.ok(isValid(right), JSON.stringify(right));
  }
  for (const wrong of [
    { examples: 0 },
    { examples: 1001 },
    { examples: [] },
    { examples: [-1] },
    { examples: Array(1001).fill(0) },
    { stepSize: 1e-13 },
    { stepSize: 0.11 },
    { tolerance: 0 },
    { tolerance: 1.1 },
    { coordinates: { sample: 0 } },
    { coordinates: { sample: 10_000_001 } },
  ]) {
    assert.ok(!isValid(wrong), JSON.stringify(wrong));
  }
});
