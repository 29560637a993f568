import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReferenceEngine } from '../../../src/numerics/reference/reference-engine.ts';
import { emaDecay, updateAverage } from '../../../src/numerics/training/ema.ts';
import { createKernel } from '../interruptions.ts';
import { startLoop } from '../start-loop.ts';
import { plan, recordsOf, run, testExamples, train } from '../trainings.ts';

test('the decay rises from 2/11 in the first step to its limit', () => {
  const decays = [1, 2, 80, 81, 1e6].map((step) => emaDecay({ decay: 0.9 }, step));
  assert.deepEqual(decays, [2 / 11, 3 / 12, 81 / 90, 0.9, 0.9]);
  assert.equal(emaDecay({ decay: 0.1 }, 1), 0.1);
});

test('an average moves towards the parameters by 1 − decay of the difference', () => {
  const average = Float64Array.of(1, -2);
  updateAverage(average, Float64Array.of(2, 2), 0.75);
  assert.deepEqual([...average], [1.25, -1]);
});

const ema = { decay: 0.9 };

test('the average is measured and published, and changes no step', () => {
  const steps = plan.epochs * 5;
  const [last, averaged] = [run(), run({ ema })];
  const [before, after] = [recordsOf(last.events), recordsOf(averaged.events)];
  for (const [i, { trainLoss, gradientNorm }] of before.entries()) {
    assert.deepEqual([after[i]!.trainLoss, after[i]!.gradientNorm], [trainLoss, gradientNorm]);
    assert.notEqual(after[i]!.validationLoss, before[i]!.validationLoss);
    assert.notEqual(after[i]!.weightNorm, before[i]!.weightNorm);
  }

  const average = new Float64Array(last.result.parameters.length);
  let step = 0;
  run({}, (settings, initial) => {
    const engine = createReferenceEngine(settings, initial);
    average.set(initial);
    return {
      ...engine,
      step(...args) {
        engine.step(...args);
        updateAverage(average, engine.parameters as Float64Array, emaDecay(ema, ++step));
      },
    };
  });
  assert.equal(step, steps);
  assert.deepEqual(averaged.result.parameters, Float32Array.from(average));
});

test('early stopping restores the best average, even if the test split is measured only at the end', () => {
  const earlyStopping = { monitor: 'validationLoss', patience: 2, minDelta: 0, restoreBest: true } as const;
  const changes = {
    ema,
    earlyStopping,
    epochs: 40,
    learningRate: 3,
    schedule: { type: 'constant' } as const,
  };
  const { events, result } = run(changes, createKernel);
  const records = recordsOf(events);
  assert.ok(result.epoch < records.length);
  const stopped = run({ ...changes, epochs: result.epoch, earlyStopping: null }, createKernel);
  assert.deepEqual(result.parameters, stopped.result.parameters);

  const loop = startLoop({ ...plan, ...changes }, train, testExamples, createKernel, null, true);
  let next = loop.next();
  while (!next.done) next = loop.next();
  const { testLoss, testAccuracy } = records[result.epoch - 1]!;
  assert.deepEqual(next.value.tested, { loss: testLoss, accuracy: testAccuracy });
});
