/** Reference trainings compared with PyTorch: every option, alone and combined. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReferenceEngine } from '../../../src/numerics/reference/reference-engine.ts';
import { learningRateAt } from '../../../src/numerics/training/schedules.ts';
import { dense } from '../../support/dense.ts';
import {
  assertBlocksNear,
  assertNear,
  at,
  changeFrom,
  examplesOf,
  firstIndices,
  knobs,
  settingsOf,
  type TrainingFixture,
} from '../fixtures.ts';

function engineOf({ sizes, settings, batchSize, initial }: TrainingFixture) {
  const { classWeights, distillation } = settings;
  return createReferenceEngine(
    settingsOf(dense(sizes), {
      ...settings,
      batchSize,
      classWeights: classWeights && Float64Array.from(classWeights),
      distillation: distillation && { ...distillation, targets: Float32Array.from(distillation.targets) },
    }),
    Float64Array.from(initial),
  );
}

for (const fixture of knobs.trainings) {
  const { name, sizes, labels, batchSize, epochs, initial } = fixture;
  const examples = examplesOf(fixture);
  const all = firstIndices(labels.length);
  const stepsPerEpoch = Math.ceil(labels.length / batchSize);
  const length = { stepsPerEpoch, steps: epochs * stepsPerEpoch };

  test(`a training agrees with PyTorch: ${name}`, () => {
    const engine = engineOf(fixture);
    const sums = { loss: 0, correct: 0 };
    const [losses, norms]: number[][] = [[], []];
    for (let step = 0; step < length.steps; step++) {
      const start = (step % stepsPerEpoch) * batchSize;
      const rate = learningRateAt(fixture.schedule, fixture.learningRate, step, length, 1);
      const batch = all.subarray(start, start + batchSize);
      engine.step(examples, batch, at(rate, { epoch: Math.floor(step / stepsPerEpoch) + 1, start }), sums);
      losses!.push(sums.loss / batch.length);
      norms!.push(engine.gradientNorm());
    }
    assertNear(losses!, fixture.losses, 1e-10, 'losses');
    assertNear(norms!, fixture.gradientNorms, 1e-10, 'gradient norms');
    const [move, expected] = [changeFrom(initial, engine.parameters), changeFrom(initial, fixture.final)];
    assertBlocksNear(move, expected, dense(sizes), 1e-10);
  });

  test(`a gradient without an update equals PyTorch's: ${name}`, () => {
    const engine = engineOf(fixture);
    const gradient = new Float64Array(initial.length);
    engine.gradient(gradient, examples, all.subarray(0, batchSize), at(0));
    assertBlocksNear(gradient, fixture.firstGradient, dense(sizes), 1e-10);
    assert.deepEqual([...engine.parameters], initial);
    assert.ok(Number.isNaN(engine.gradientNorm()), 'no step has measured a norm yet');
  });
}
