import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeFactor,
  findFactor,
  knownFactors,
  roundFactor,
} from '../../../../src/numerics/checks/submitted/factors.ts';
import {
  cosine,
  createTarget,
  fitTarget,
  inUnit,
  norm,
} from '../../../../src/numerics/checks/submitted/fit.ts';

const vector = Float64Array.of(1, -2, 3, 4);
const scaled = (factor: number, penalty = 0) => vector.map((v, i) => factor * v + penalty * PARAMETERS[i]!);
const PARAMETERS = Float64Array.of(1, 1, 0, -1);
const fitBlock = (given: Float64Array, other: Float64Array, error: number, parameters?: Float64Array) =>
  fitTarget(createTarget(given, error), other, parameters);

test('norms and cosines do not overflow', () => {
  assert.equal(norm(Float64Array.of(3, 4)), 5);
  const large = Float64Array.of(3e200, 4e200);
  assert.ok(Math.abs(norm(large) / 5e200 - 1) < 1e-15);
  assert.equal(inUnit(vector, 1), vector);
  assert.deepEqual(inUnit(vector, 2), Float64Array.of(0.5, -1, 1.5, 2));
  assert.ok(Math.abs(cosine(vector, scaled(-1e200)) + 1) < 1e-15);
  assert.ok(Math.abs(cosine(Float64Array.of(1, 0), Float64Array.of(1, 1)) - Math.SQRT1_2) < 1e-15);
  assert.ok(Number.isNaN(cosine(vector, new Float64Array(4))));
});

test('a multiple of a vector is fitted, if it explains the block and its error', () => {
  assert.deepEqual(fitBlock(scaled(-0.5), vector, 10), { factor: -0.5, penalty: 0 });
  const near = scaled(2);
  // The rest is nearly 2e-4, of a norm of 2 √30 = 10.95.
  near[0]! += 2e-4;
  assert.ok(fitBlock(near, vector, 10));
  assert.equal(fitBlock(near, vector, 1e-3), null);
  near[0]! += 2e-3;
  assert.equal(fitBlock(near, vector, 10), null);
  const large = fitBlock(scaled(1e300), vector, 1e300);
  assert.ok(large && Math.abs(large.factor / 1e300 - 1) < 1e-12);
});

test('a multiple of the parameters is fitted beside it, unless both are parallel or short', () => {
  const fit = fitBlock(scaled(2, 0.25), vector, 10, PARAMETERS);
  assert.ok(fit && Math.abs(fit.factor - 2) < 1e-12 && Math.abs(fit.penalty - 0.25) < 1e-12);
  assert.equal(fitBlock(scaled(2, 0.25), vector, 10), null);
  assert.equal(fitBlock(scaled(2), vector, 10, vector), null);
  const [three, parameters] = [vector.subarray(1), PARAMETERS.subarray(1)];
  assert.equal(fitBlock(scaled(2, 0.25).subarray(1), three, 10, parameters), null);
});

const known = knownFactors(5, 10);
test('a factor is a known one within two parts in ten thousand, whatever its sign', () => {
  for (const [factor, value] of [
    [1.0001, 1],
    [-5.0009, 5],
    [0.2, 0.2],
    [2, 2],
    [0.49995, 0.5],
    [0.1, 0.1],
    [1.0003, undefined],
    [3, undefined],
  ] as const)
    assert.equal(findFactor(known, factor)?.value, value, `${factor}`);
  assert.equal(roundFactor(-5.0009, findFactor(known, 5)), -5);
  assert.equal(roundFactor(1.234_567_8, undefined), 1.23457);
});

test('a factor is described by its sign, its size and its reason', () => {
  const describe = (factor: number) => describeFactor(factor, findFactor(known, factor));
  assert.deepEqual(describe(1), []);
  assert.deepEqual(describe(-1), ['the sign is wrong']);
  assert.deepEqual(describe(5), [
    'the numbers are 5 times the right ones: a sum over the 5 examples where a mean should be',
  ]);
  assert.deepEqual(describe(-0.2), [
    'the sign is wrong',
    'the numbers are 1/5 of the right ones: a mean that is divided by the 5 examples once more',
  ]);
  assert.deepEqual(describe(0.1), [
    'the numbers are 1/10 of the right ones: a mean over the 10 classes as well as over the examples',
  ]);
  assert.deepEqual(describe(0.5), ['the numbers are 1/2 of the right ones']);
  assert.deepEqual(describe(0.3), ['the numbers are 0.3 times the right ones']);
});
