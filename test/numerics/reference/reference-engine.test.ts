import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialize, initializeUniformFanIn } from '../../../src/numerics/network/initialize.ts';
import { createReferenceEngine } from '../../../src/numerics/reference/reference-engine.ts';
import type { Engine, OptimizerSettings } from '../../../src/numerics/training/engine.ts';
import { dense } from '../../support/dense.ts';
import {
  assertBlocksNear,
  assertNear,
  at,
  changeFrom,
  descents,
  examplesOf,
  firstIndices,
  norm,
  settingsOf,
  stripes,
} from '../fixtures.ts';

for (const fixture of descents) {
  test(`ten steps of descent agree with NumPy: ${fixture.name}`, () => {
    const { sizes, l2, batchSize, learningRate } = fixture;
    const examples = examplesOf(fixture);
    const all = firstIndices(fixture.labels.length);
    const initial = Float64Array.from(fixture.initial);
    const engine = createReferenceEngine(settingsOf(dense(sizes), { batchSize, l2 }), initial);
    const sums = { loss: 0, correct: 0 };
    const losses: number[] = [];
    const norms: number[] = [];
    for (let step = 0; step < 10; step++) {
      const first = (step % 3) * batchSize;
      const batch = all.subarray(first, first + batchSize);
      engine.step(examples, batch, at(learningRate), sums);
      losses.push(sums.loss / batch.length);
      norms.push(engine.gradientNorm());
    }
    assertNear(losses, fixture.losses, 1e-12, 'losses');
    assertNear(norms, fixture.gradientNorms, 1e-12, 'gradient norms');
    assertBlocksNear(engine.parameters as Float64Array, fixture.final, dense(sizes), 1e-10);
    assert.deepEqual([...initial], fixture.initial, 'the initial parameters were copied');
  });
}

test('rejects an empty batch and one above the maximum size', () => {
  const sizes = [4, 3, 2];
  const examples = { pixels: new Uint8Array(12), labels: new Uint8Array(3) };
  const engine = createReferenceEngine(
    settingsOf(dense(sizes), { batchSize: 2 }),
    initializeUniformFanIn(dense(sizes), 0),
  );
  for (const size of [0, 3]) {
    assert.throws(
      () => engine.step(examples, firstIndices(size), at(0.1), { loss: 0, correct: 0 }),
      /must have 1 to 2 examples, but has/,
    );
  }
});

test('non-finite parameters make the loss NaN, even behind a ReLU', () => {
  const sizes = [4, 3, 2];
  const initial = initializeUniformFanIn(dense(sizes), 0);
  initial[0] = Number.NaN;
  const engine = createReferenceEngine(settingsOf(dense(sizes)), initial);
  const sums = { loss: 0, correct: 0 };
  engine.step(
    { pixels: Uint8Array.of(9, 9, 9, 9), labels: Uint8Array.of(1) },
    firstIndices(1),
    at(0.1),
    sums,
  );
  assert.ok(Number.isNaN(sums.loss));
});

const knobbed = settingsOf(dense([9, 8, 7, 4]), {
  batchSize: 8,
  seed: 6,
  dropout: 0.3,
  clipNorm: 0.4,
  standardization: { mean: 0.3, std: 0.4 },
});
const OPTIMIZERS: OptimizerSettings[] = [
  { type: 'sgd', momentum: 0, nesterov: false, weightDecay: 0.1 },
  { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 0 },
  { type: 'rmsprop', momentum: 0, alpha: 0.9, epsilon: 1e-8, weightDecay: 0 },
  { type: 'rmsprop', momentum: 0.5, alpha: 0.9, epsilon: 1e-8, weightDecay: 0 },
  { type: 'adam', beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0 },
  { type: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 },
];

for (const optimizer of OPTIMIZERS) {
  const { type, weightDecay } = optimizer;
  const momentum = 'momentum' in optimizer ? optimizer.momentum : 0;
  test(`an engine resumes bit for bit from another's state: ${type}, ${momentum}, ${weightDecay}`, () => {
    const settings = { ...knobbed, optimizer };
    const examples = stripes(24, 9, 4);
    const create = (seed: number) =>
      createReferenceEngine(settings, initialize('he', dense([9, 8, 7, 4]), seed));
    const [undisturbed, first, second] = [create(1), create(1), create(2)];
    const sums = { loss: 0, correct: 0 };
    const step = (engine: Engine, s: number) =>
      engine.step(examples, firstIndices(24).subarray(8 * s, 8 * s + 8), at(0.05, { start: 8 * s }), sums);
    for (const s of [0, 1, 2]) step(undisturbed, s);
    for (const s of [0, 1]) step(first, s);
    const saved = first.exportState();
    step(first, 2);
    second.importState(saved);
    step(second, 2);
    assert.deepEqual(second.exportState(), undisturbed.exportState());
    assert.deepEqual(first.exportState(), undisturbed.exportState(), 'what was exported is a copy');
  });
}

test('rejects the state of another optimizer or network', () => {
  const engine = createReferenceEngine(knobbed, initialize('he', dense([9, 8, 7, 4]), 0));
  const state = engine.exportState();
  assert.throws(() => engine.importState({ ...state, moments: [state.parameters] }), /0 moments, not 1/);
  assert.throws(
    () => engine.importState({ ...state, parameters: new Float64Array(3) }),
    /175 numbers, not 3/,
  );
});

test('the norm is measured before clipping, and a step without measurement keeps it', () => {
  const examples = stripes(8, 9, 4);
  const sums = { loss: 0, correct: 0 };
  const gradient = new Float64Array(175);
  const settings = { ...knobbed, clipNorm: null };
  const engine = createReferenceEngine(settings, initialize('he', dense([9, 8, 7, 4]), 0));
  engine.gradient(gradient, examples, firstIndices(8), at(0));
  engine.step(examples, firstIndices(8), at(0.1), sums);
  engine.step(examples, firstIndices(8), at(0.1, { measureNorm: false }), sums);
  assertNear([engine.gradientNorm()], [norm(gradient)], 1e-15, 'norm');
  const clipping = createReferenceEngine(
    { ...settings, clipNorm: 0.01 },
    initialize('he', dense([9, 8, 7, 4]), 0),
  );
  clipping.step(examples, firstIndices(8), at(1), sums);
  assertNear([clipping.gradientNorm()], [norm(gradient)], 1e-15, 'norm');
  const move = changeFrom(initialize('he', dense([9, 8, 7, 4]), 0), clipping.parameters);
  assertNear([norm(move)], [0.01], 1e-4, 'a clipped step is as long as allowed');
});

test('a gradient is clipped only if it is longer than the limit', () => {
  const examples = stripes(8, 9, 4);
  const initial = initialize('he', dense([9, 5, 4]), 2);
  const stepWith = (clipNorm: number | null) => {
    const engine = createReferenceEngine(settingsOf(dense([9, 5, 4]), { clipNorm }), initial);
    engine.step(examples, firstIndices(8), at(0.1), { loss: 0, correct: 0 });
    return { norm: engine.gradientNorm(), change: changeFrom(initial, engine.parameters) };
  };
  const whole = stepWith(null);
  assertNear(stepWith(1.01 * whole.norm).change, whole.change, 1e-15, 'below the limit');
  const half = whole.change.map((value) => value / 2);
  // PyTorch adds 1e-6 to the norm.
  assertNear(stepWith(0.5 * (whole.norm + 1e-6)).change, half, 1e-12, 'above the limit');
});
