import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate, inspectNetwork, weightNorm } from '../../../src/numerics/evaluation/measure.ts';
import {
  countTrainingExamples,
  shuffleEpoch,
  splitByClass,
  stepsPerEpoch,
} from '../../../src/numerics/examples/batches.ts';
import { initializeUniformFanIn } from '../../../src/numerics/network/initialize.ts';
import { createReferenceEngine } from '../../../src/numerics/reference/reference-engine.ts';
import type { CreateEngine, StepPosition } from '../../../src/numerics/training/engine.ts';
import { INITIAL_PLATEAU, learningRateAt, updatePlateau } from '../../../src/numerics/training/schedules.ts';
import { dense } from '../../support/dense.ts';
import { at, firstIndices, reluNetwork, settingsOf } from '../fixtures.ts';
import { plan, recordsOf, run, testExamples, train } from '../trainings.ts';

function finish<T>(generator: Generator<unknown, T, unknown>): T {
  for (;;) {
    const { done, value } = generator.next();
    if (done) return value;
  }
}

test('an epoch yields its steps, its evaluations, then its record', () => {
  const { events, result } = run();
  const kinds = events.map((event) => event.kind);
  const epoch = ['step', 'step', 'step', 'step', 'step', 'evaluation', 'evaluation', 'evaluation', 'epoch'];
  assert.deepEqual(kinds, [...epoch, ...epoch, ...epoch]);
  const steps = events.filter((event) => event.kind === 'step');
  assert.deepEqual(
    steps.map(({ step }) => step),
    [...firstIndices(15)].map((i) => i + 1),
  );
  assert.deepEqual(
    steps.map(({ epoch: number }) => number),
    [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3],
  );
  assert.ok(steps.every(({ steps: all, examples }) => all === 15 && examples === 16));
  assert.deepEqual(result.stoppedAt, { step: 15, reason: 'completed' });
  assert.equal(result.engine, 'reference-float64');
  assert.equal(result.standardization, null);
  assert.equal(result.epoch, 3);
});

test('a record equals the figures of a run by hand', () => {
  const { architecture, seed, batchSize, l2 } = plan;
  const network = reluNetwork(architecture);
  const split = splitByClass(train.labels, 0.2, seed);
  const engine = createReferenceEngine(
    settingsOf(architecture, { batchSize, l2 }),
    initializeUniformFanIn(architecture, seed),
  );
  const order = new Uint32Array(80);
  const sums = { loss: 0, correct: 0 };
  let [loss, correct] = [0, 0];
  for (const [epoch, learningRate] of [
    [1, 0.3],
    [2, 0.15],
  ] as const) {
    shuffleEpoch(order, split.train, seed, epoch);
    [loss, correct] = [0, 0];
    for (let first = 0; first < 80; first += batchSize) {
      engine.step(train, order.subarray(first, first + batchSize), at(learningRate), sums);
      loss += sums.loss;
      correct += sums.correct;
    }
  }
  const rounded = Float32Array.from(engine.parameters);
  const validation = finish(evaluate(network, rounded, train, split.validation));
  const tested = finish(evaluate(network, rounded, testExamples, firstIndices(40)));
  const { events, result } = run({ epochs: 2 });
  assert.deepEqual(recordsOf(events)[1], {
    epoch: 2,
    trainLoss: loss / 80,
    trainAccuracy: correct / 80,
    validationLoss: validation.loss,
    validationAccuracy: validation.accuracy,
    testLoss: tested.loss,
    testAccuracy: tested.accuracy,
    learningRate: 0.15,
    gradientNorm: engine.gradientNorm(),
    weightNorm: weightNorm(rounded, architecture),
    deadUnits: finish(inspectNetwork(network, rounded, train, split.train)).deadUnits,
  });
  assert.deepEqual(result.parameters, rounded);
});

test('training learns a learnable task', () => {
  const { events } = run({ epochs: 30, schedule: { type: 'constant' } });
  const records = recordsOf(events);
  assert.ok(records[29]!.testLoss! < records[0]!.testLoss! / 4);
  assert.equal(records[29]!.testAccuracy, 1);
});

test('the same plan gives the same bits, another seed different ones', () => {
  assert.deepEqual(run(), run());
  assert.notDeepEqual(run().result, run({ seed: 4 }).result);
});

test('without validation all examples are trained on, and no validation figures are measured', () => {
  for (const holdout of [null, { fraction: 0 }]) {
    const { events } = run({ holdout, epochs: 1 });
    const steps = events.filter((event) => event.kind === 'step');
    assert.deepEqual(
      steps.map(({ examples }) => examples),
      [16, 16, 16, 16, 16, 16, 4],
    );
    const [record] = recordsOf(events);
    assert.equal(record!.validationLoss, null);
    assert.equal(record!.validationAccuracy, null);
  }
});

test('a non-finite loss is reported with its step, and the consumer decides what to do', () => {
  const { events, result } = run({ learningRate: 1e200, epochs: 1 });
  const losses = events.flatMap((event) => (event.kind === 'step' ? [event.loss] : []));
  assert.ok(Number.isFinite(losses[0]));
  assert.ok(losses.some((loss) => !Number.isFinite(loss)));
  assert.equal(result.stoppedAt.step, 5);
});

test('the loop takes the announced numbers of images and steps', () => {
  for (const holdout of [null, { fraction: 0.2 }, { last: 50 }]) {
    const images = countTrainingExamples(train.labels, holdout);
    const { events, result } = run({ holdout });
    assert.equal(3 * stepsPerEpoch(images, plan.batchSize), result.stoppedAt.step);
    const trained = events.reduce((sum, event) => sum + (event.kind === 'step' ? event.examples : 0), 0);
    assert.equal(3 * images, trained);
  }
});

test('rejects examples that do not match the network, and batches that cannot be filled', () => {
  assert.throws(
    () => run({ architecture: dense([15, 4]) }),
    /100 images of 15 pixels cannot have 1600 pixels/,
  );
  assert.throws(() => run({ architecture: dense([16, 3]) }), /Label 3 is not one of 3 classes/);
  assert.throws(() => run({ batchSize: 81 }), /80 training images cannot fill a batch of 81/);
});

test('all random options together give the same bits', () => {
  const everything: Parameters<typeof run>[0] = {
    initialization: 'he',
    dropout: 0.2,
    classWeights: 'balanced',
    standardize: true,
    optimizer: { type: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01 },
    learningRate: 0.01,
    schedule: { type: 'cosine', final: 0 },
    clipNorm: 1,
  };
  assert.deepEqual(run(everything), run(everything));
  assert.notDeepEqual(run(everything).result, run({ ...everything, seed: 4 }).result);
});

test('each step gets its position in the epoch, and only the last one measures the norm', () => {
  const positions: StepPosition[] = [];
  const createEngine: CreateEngine = (settings, initial) => {
    const engine = createReferenceEngine(settings, initial);
    return {
      ...engine,
      step(examples, batch, position, sums) {
        positions.push(position);
        engine.step(examples, batch, position, sums);
      },
    };
  };
  run({ epochs: 2, batchSize: 30, schedule: { type: 'constant' } }, createEngine);
  const expected = [1, 2].flatMap((epoch) =>
    [0, 30, 60].map((start) => ({ epoch, start, learningRate: 0.3, measureNorm: start === 60 })),
  );
  assert.deepEqual(positions, expected);
});

test('a record has the learning rate of its last step', () => {
  const { events } = run({ schedule: { type: 'cosine', final: 0.1 }, epochs: 3 });
  const rates = recordsOf(events).map(({ learningRate }) => learningRate);
  const length = { stepsPerEpoch: 5, steps: 15 };
  const expected = [4, 9, 14].map((step) =>
    learningRateAt({ type: 'cosine', final: 0.1 }, 0.3, step, length, 1),
  );
  assert.deepEqual(rates, expected);
});

test('plateau follows the validation loss, or the training loss without validation', () => {
  const schedule = { type: 'plateau', factor: 0.5, patience: 1, minDelta: 0.02 } as const;
  for (const holdout of [{ fraction: 0.2 }, null]) {
    const records = recordsOf(run({ schedule, epochs: 25, holdout }).events);
    let state = INITIAL_PLATEAU;
    for (const { epoch, learningRate, validationLoss, trainLoss } of records) {
      assert.equal(learningRate, 0.3 * state.factor, `epoch ${epoch}`);
      state = updatePlateau(state, schedule, holdout === null ? trainLoss : validationLoss!);
    }
    assert.ok(records.at(-1)!.learningRate < 0.3);
  }
});

test('a warm start begins with the given parameters', () => {
  const first = run();
  const initialParameters = first.result.parameters;
  const [record] = recordsOf(run({ initialParameters, learningRate: 1e-30, epochs: 1 }).events);
  assert.equal(record!.validationLoss, recordsOf(first.events)[2]!.validationLoss);
  const zeros = run({ initialParameters: new Float64Array(218), learningRate: 1e-9, epochs: 1 });
  const [step] = zeros.events.filter((event) => event.kind === 'step');
  assert.ok(Math.abs(step!.loss - Math.log(4)) < 1e-12, 'zeros give every class the same probability');
});

test('a failing epoch raises its warnings', () => {
  const { events } = run({ learningRate: 50, epochs: 1, schedule: { type: 'constant' } });
  const [end] = events.filter((event) => event.kind === 'epoch');
  const codes = end!.warnings.map(({ code }) => code);
  assert.ok(codes.includes('constant-prediction') && codes.includes('dead-units'), `${codes}`);
  const healthy = run({ epochs: 1 }).events.filter((event) => event.kind === 'epoch');
  assert.deepEqual(healthy[0]!.warnings, []);
});
