import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tallyPredictions } from '../../../src/protocols/prediction-tally.ts';
import { createInferenceStatistics } from '../../../src/services/predictions/inference-statistics.ts';

const tally = tallyPredictions(Float32Array.of(0.25, 0.75), 2);
const ms = { wait: 4, decode: 1, compute: 2, serialise: 0.5 };

test('durations are summed by phase and batch size, in whole nanoseconds', () => {
  const statistics = createInferenceStatistics(() => 1234);
  const model = { name: 'a', version: 2 };
  statistics.onPredicted(model, 1, ms, tally);
  statistics.onPredicted(model, 64, ms, tally);
  statistics.onPredicted(model, 64, ms, tally);
  statistics.onFailed(model, 3);
  const { inference_stats, batch_stats, ...counts } = statistics.of(model);
  assert.deepEqual(counts, {
    name: 'a',
    version: '2',
    last_inference: 1234,
    inference_count: 129,
    execution_count: 3,
  });
  assert.deepEqual(inference_stats, {
    success: { count: 3, ns: 22_500_000 },
    fail: { count: 1, ns: 3_000_000 },
    queue: { count: 3, ns: 12_000_000 },
    compute_input: { count: 3, ns: 3_000_000 },
    compute_infer: { count: 3, ns: 6_000_000 },
    compute_output: { count: 3, ns: 1_500_000 },
    cache_hit: { count: 0, ns: 0 },
    cache_miss: { count: 0, ns: 0 },
  });
  assert.deepEqual(
    batch_stats.map(({ batch_size, compute_infer }) => [batch_size, compute_infer]),
    [
      [1, { count: 1, ns: 2_000_000 }],
      [64, { count: 2, ns: 4_000_000 }],
    ],
  );
});

test('keeps sums for a thousand versions and 32 batch sizes each', () => {
  const statistics = createInferenceStatistics();
  for (let version = 1; version <= 1001; version++)
    statistics.onPredicted({ name: 'a', version }, 1, ms, tally);
  assert.equal(statistics.of({ name: 'a', version: 1 }).inference_count, 0, 'made way');
  assert.equal(statistics.of({ name: 'a', version: 2 }).inference_count, 1);
  const model = { name: 'b', version: 1 };
  for (let images = 1; images <= 100; images++) statistics.onPredicted(model, images, ms, tally);
  const { inference_count, execution_count, batch_stats } = statistics.of(model);
  assert.deepEqual([inference_count, execution_count, batch_stats.length], [5050, 100, 32]);
});

test('renders used and unused versions as JSON in the same way, and in their order', () => {
  const statistics = createInferenceStatistics(() => 1234);
  const models = [
    { name: 'a', version: 1 },
    { name: 'a"b', version: 1 },
    { name: 'c', version: 3 },
  ];
  statistics.onPredicted(models[1]!, 64, ms, tally);
  const each = models.map((model) => statistics.of(model));
  assert.equal(statistics.toJson(models), JSON.stringify(each));
  assert.equal(statistics.toJson([]), '[]');
});
