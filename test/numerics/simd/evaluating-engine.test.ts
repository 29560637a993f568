import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  evaluate,
  evaluateByEngine,
  inspectByEngine,
  inspectNetwork,
} from '../../../src/numerics/evaluation/measure.ts';
import { ACTIVATIONS } from '../../../src/numerics/network/activations.ts';
import { blocks, parameterCount } from '../../../src/numerics/network/architecture.ts';
import { createEvaluatingEngine } from '../../../src/numerics/simd/evaluating-engine.ts';
import { dense } from '../../support/dense.ts';
import { assertNear, firstIndices } from '../fixtures.ts';
import { at, examplesFor, kernelModule, parametersOf, settingsOf } from './cases.ts';

function drive<T>(generator: Generator<unknown, T, void>): T {
  for (;;) {
    const { done, value } = generator.next();
    if (done) return value;
  }
}

test('the kernel evaluates like evaluate.ts, before the first step and after each', () => {
  for (const activation of ACTIVATIONS) {
    for (const standardization of [null, { mean: 0.3, std: 0.4 }]) {
      const settings = settingsOf({
        architecture: dense([50, 14, 9, 5]),
        batchSize: 20,
        activation,
        standardization,
        dropout: 0.5,
        labelSmoothing: 0.2,
        classWeights: Float64Array.of(1, 2, 3, 4, 5),
        l2: 0.1,
      });
      const examples = examplesFor(settings, 1503);
      const engine = createEvaluatingEngine(kernelModule, settings, parametersOf(settings.architecture));
      const indices = firstIndices(1503).reverse();
      const sums = { loss: 0, correct: 0 };
      for (let step = 0; step < 3; step++) {
        if (step > 0) engine.step(examples, firstIndices(20), at({ start: 20 * step }), sums);
        const found = drive(evaluateByEngine(engine.evaluate, examples, indices));
        const rounded = Float64Array.from(engine.parameters);
        const expected = drive(evaluate(settings, rounded, examples, indices));
        assertNear([found.loss], [expected.loss], 1e-5, `${activation}, step ${step}`);
        assert.equal(found.accuracy, expected.accuracy, `${activation}, step ${step}`);
      }
      engine.shutdown();
    }
  }
});

test('the kernel also evaluates restored parameters', () => {
  const settings = settingsOf({ architecture: dense([13, 7, 3]) });
  const examples = examplesFor(settings, 30);
  const engine = createEvaluatingEngine(kernelModule, settings, parametersOf(settings.architecture));
  const measured = () => drive(evaluateByEngine(engine.evaluate, examples, firstIndices(30))).loss;
  const [state, before] = [engine.exportState(), measured()];
  engine.step(examples, firstIndices(10), at(), { loss: 0, correct: 0 });
  assert.notEqual(measured(), before);
  engine.importState(state);
  assert.equal(measured(), before);
});

test('the kernel inspects like evaluate.ts', () => {
  const constant: boolean[] = [];
  for (const activation of ACTIVATIONS) {
    for (const wide of [false, true]) {
      const convolutional = {
        ...dense([72, 14, 3]),
        inputShape: [8, 9] as const,
        convolutions: [[6, 4], [18]],
      };
      const networks = [dense([50, 3]), dense([50, 14, 9, 5]), dense([28, 130, 67, 3]), convolutional];
      for (const architecture of networks) {
        const settings = settingsOf({ architecture, batchSize: 20, activation });
        const examples = examplesFor(settings, 203);
        const parameters = parametersOf(architecture);
        const biases = blocks(architecture).filter(({ shape }) => shape.length === 1);
        for (const { start, end } of biases.slice(0, -1)) {
          for (let k = 0; k < end - start; k += 3) parameters[start + k] = -3 * k;
        }
        const engine = createEvaluatingEngine(kernelModule, settings, parameters, { wide });
        const rounded = Float64Array.from(engine.parameters);
        for (const count of [1, 5, 203]) {
          const indices = firstIndices(203).reverse().subarray(0, count);
          const found = drive(inspectByEngine(engine.inspect, architecture, examples, indices));
          assert.deepEqual(found, drive(inspectNetwork(settings, rounded, examples, indices)));
          constant.push(found.isConstant);
          for (const fraction of found.deadUnits)
            assert.equal(fraction > 0 && fraction < 1, activation === 'relu');
        }
        engine.shutdown();
      }
    }
  }
  assert.equal(new Set(constant).size, 2);
});

test('a channel is alive if it is above 0 anywhere, even where pooling drops the last row', () => {
  const architecture = { ...dense([9, 2, 2]), inputShape: [3, 3] as const, convolutions: [[3]] };
  const settings = settingsOf({ architecture });
  const parameters = new Float64Array(parameterCount(architecture));
  const [kernel, biases] = blocks(architecture);
  // The first channel is the image; the others are constant.
  parameters[kernel!.start + 4] = 1;
  parameters.set([0, -1, 1], biases!.start);
  const examples = { pixels: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 255), labels: Uint8Array.of(0) };
  const engine = createEvaluatingEngine(kernelModule, settings, parameters);
  const findings = { alive: [new Uint8Array(3), new Uint8Array(2)], predicted: new Set<number>() };
  engine.inspect(findings, examples, firstIndices(1));
  assert.deepEqual(findings.alive, [Uint8Array.of(1, 0, 1), Uint8Array.of(0, 0)]);
});

test('the kernel inspects the parameters after a step, and restored ones', () => {
  const settings = settingsOf({ architecture: dense([4, 3]) });
  const examples = { pixels: new Uint8Array(40).fill(255), labels: new Uint8Array(10).fill(2) };
  const engine = createEvaluatingEngine(kernelModule, settings, new Float64Array(15));
  const predicted = () => {
    const findings = { alive: [], predicted: new Set<number>() };
    engine.inspect(findings, examples, firstIndices(10));
    return [...findings.predicted];
  };
  const state = engine.exportState();
  // Of equal logits, the first class counts; all labels are of the last one.
  assert.deepEqual(predicted(), [0]);
  engine.step(examples, firstIndices(10), at(), { loss: 0, correct: 0 });
  assert.deepEqual(predicted(), [2]);
  engine.importState(state);
  assert.deepEqual(predicted(), [0]);
});
