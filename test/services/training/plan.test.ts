import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { architectureFor, buildTrainingPlan } from '../../../src/services/training/plan.ts';

const images = { pixels: new Uint8Array(0), labels: new Uint8Array(0) };
const dataset: Dataset = {
  id: 'd',
  imageShape: [16, 20],
  classNames: ['a', 'b', 'c'],
  digest: '',
  train: images,
  validation: null,
  learning: images,
  test: images,
};
const plan = (training: object, start: Parameters<typeof buildTrainingPlan>[2] = null) => {
  const request = trainingRequestSchema.parse({
    dataset: 'd',
    seed: 7,
    network: { convolutions: [16, [8, 8]], hidden: [5], activation: 'tanh', init: 'he' },
    training,
  });
  return { request, plan: buildTrainingPlan(request, dataset, start, null) };
};

test('a network has the shape of the images, the classes of the data set and lists of convolutions', () => {
  const { request, plan: planned } = plan({});
  const architecture = {
    inputShape: [16, 20],
    convolutions: [[16], [8, 8]],
    norm: 'none',
    hidden: [5],
    classes: 3,
  };
  assert.deepEqual(architectureFor(request.network, dataset), architecture);
  assert.deepEqual(planned.architecture, architecture);
  assert.deepEqual([planned.activation, planned.initialization, planned.seed], ['tanh', 'he', 7]);
});

test('options that are left out do nothing in a plan', () => {
  const { plan: planned } = plan({ validation: null });
  const { initialParameters, distillation, holdout, targetValidationAccuracy, stopAtStep } = planned;
  assert.deepEqual(
    [initialParameters, distillation, holdout, targetValidationAccuracy, stopAtStep],
    [null, null, null, null, null],
  );
  assert.equal(planned.standardize, false);
  for (const name of ['threads', 'checkpointEverySeconds', 'keepCheckpoints', 'validation', 'budget']) {
    assert.ok(!(name in planned), name);
  }
});

test('the learning rate is separate from the optimizer, and the budget is an accuracy', () => {
  const { plan: planned } = plan({
    optimizer: { type: 'sgd', learningRate: 0.25, momentum: 0.5 },
    validation: { fraction: 0.2 },
    budget: { targetValidationAccuracy: 0.75 },
    standardize: true,
  });
  assert.equal(planned.learningRate, 0.25);
  assert.ok(!('learningRate' in planned.optimizer));
  assert.equal(planned.optimizer.type, 'sgd');
  assert.deepEqual([planned.holdout, planned.targetValidationAccuracy], [{ fraction: 0.2 }, 0.75]);
  assert.equal(planned.standardize, true);
});

test('a warm start keeps the standardization of its model, or has none', () => {
  const parameters = new Float32Array(4);
  const standardization = { mean: 0.5, std: 0.25 };
  const warm = plan({ standardize: false }, { parameters, standardization }).plan;
  assert.equal(warm.initialParameters, parameters);
  assert.deepEqual(warm.standardize, standardization);
  assert.equal(plan({ standardize: true }, { parameters, standardization: null }).plan.standardize, false);
});
