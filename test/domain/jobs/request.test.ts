import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolvedTrainingRequestSchema, trainingRequestSchema } from '../../../src/domain/jobs/request.ts';

test('a training that leaves everything out has one hidden layer, and holds out what the data set decides', () => {
  const { network, training, gradientCheck, testSet, priority, warmStart } = trainingRequestSchema.parse({
    dataset: 'd',
  });
  assert.deepEqual(network, {
    convolutions: [],
    norm: 'none',
    hidden: [40],
    activation: 'relu',
    init: 'uniform-fan-in',
  });
  const { epochs, batchSize, threads, validation, checkpointEverySeconds, standardize } = training;
  assert.deepEqual(
    { epochs, batchSize, threads, validation, checkpointEverySeconds, standardize },
    {
      epochs: 10,
      batchSize: 64,
      threads: 1,
      validation: {},
      checkpointEverySeconds: 5,
      standardize: false,
    },
  );
  assert.deepEqual([gradientCheck, testSet, priority, warmStart], [true, 'every-epoch', 0, null]);
});

test('numbers too small for float32 are rejected at their place in a request, but not in an older one', () => {
  const training = { clipNorm: 1e-7, classWeights: [1, 1e-7] };
  const { error } = trainingRequestSchema.safeParse({ dataset: 'd', training });
  assert.deepEqual(
    error?.issues.map(({ path }) => path.join('/')),
    ['training/clipNorm', 'training/classWeights/1'],
  );
  const resolved = { dataset: 'd', modelName: 'd', training };
  assert.ok(resolvedTrainingRequestSchema.safeParse(resolved).success);
});

test('a stored request has no webhook, whose secret it would reveal', () => {
  const notify = { url: 'https://example.com', secret: 'x'.repeat(32) };
  const request = resolvedTrainingRequestSchema.parse({ dataset: 'd', modelName: 'd', notify });
  assert.ok(!('notify' in request));
});
