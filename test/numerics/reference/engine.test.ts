import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initializeUniformFanIn } from '../../../src/numerics/initialize.ts';
import { createReferenceEngine } from '../../../src/numerics/reference/engine.ts';
import {
  assertBlocksNear,
  assertNear,
  at,
  descents,
  examplesOf,
  firstIndices,
  settingsOf,
} from '../fixtures.ts';

for (const fixture of descents) {
  test(`ten steps of descent follow NumPy: ${fixture.name}`, () => {
    const { sizes, l2, batchSize, learningRate } = fixture;
    const examples = examplesOf(fixture);
    const all = firstIndices(fixture.labels.length);
    const initial = Float64Array.from(fixture.initial);
    const engine = createReferenceEngine(settingsOf(sizes, { batchSize, l2 }), initial);
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
    assertBlocksNear(engine.parameters as Float64Array, fixture.final, sizes, 1e-10);
    assert.deepEqual([...initial], fixture.initial, 'the initial parameters were copied');
  });
}

test('an empty batch and one larger than agreed are refused', () => {
  const sizes = [4, 3, 2];
  const examples = { pixels: new Uint8Array(12), labels: new Uint8Array(3) };
  const engine = createReferenceEngine(settingsOf(sizes, { batchSize: 2 }), initializeUniformFanIn(sizes, 0));
  for (const size of [0, 3]) {
    assert.throws(
      () => engine.step(examples, firstIndices(size), at(0.1), { loss: 0, correct: 0 }),
      /has 1 to 2 examples, not/,
    );
  }
});

test('a network that is no longer finite says so in its loss, even behind a ReLU', () => {
  const sizes = [4, 3, 2];
  const initial = initializeUniformFanIn(sizes, 0);
  initial[0] = Number.NaN;
  const engine = createReferenceEngine(settingsOf(sizes), initial);
  const sums = { loss: 0, correct: 0 };
  engine.step(
    { pixels: Uint8Array.of(9, 9, 9, 9), labels: Uint8Array.of(1) },
    firstIndices(1),
    at(0.1),
    sums,
  );
  assert.ok(Number.isNaN(sums.loss));
});
