import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upperQuantile } from '../../../src/numerics/evaluation/normal-quantile.ts';

/** `scipy.stats.norm.isf`; the approximations meet at e⁻²⁵, 1.3888e-11. */
const QUANTILES = {
  '0.075': 1.4395314709384563,
  '0.05': 1.6448536269514729,
  '0.025': 1.9599639845400545,
  '0.001': 3.090232306167813,
  '1e-6': 4.753424308822899,
  '1.3887943864964021e-11': 6.657904643501104,
  '1.3e-11': 6.667611456510741,
  '1e-20': 9.262340089798409,
  '1e-100': 21.273453560965322,
  '1e-300': 37.0470962993612,
};

test("quantiles equal SciPy's", () => {
  for (const [p, quantile] of Object.entries(QUANTILES))
    assert.ok(Math.abs(upperQuantile(Number(p)) / quantile - 1) < 2e-15, p);
});

test('rejects tails for which the approximations do not hold', () => {
  for (const p of [0, -0.01, 0.0751, 1, Number.NaN])
    assert.throws(() => upperQuantile(p), new RangeError(`The tail ${p} is not in (0, 0.075].`));
});
