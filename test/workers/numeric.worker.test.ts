import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { loadDataset } from '../../src/datasets/fashion-mnist.ts';
import type { Dataset } from '../../src/domain/dataset.ts';
import { evaluate } from '../../src/numerics/evaluate.ts';
import type { ClassificationReport } from '../../src/numerics/evaluation/classification-report.ts';
import type { Comparison } from '../../src/numerics/evaluation/comparison.ts';
import { initialize } from '../../src/numerics/initialize.ts';
import type { ComparisonTask, EvaluationTask, ServedNetwork } from '../../src/workers/messages.ts';
import { createPool, type Pool } from '../../src/workers/pool.ts';
import { firstIndices } from '../numerics/fixtures.ts';
import { DATA_DIR } from '../start-service.ts';

function networkOf(seed: number, classNames: readonly string[]): ServedNetwork {
  const layerSizes = [784, 12, classNames.length];
  return {
    reference: { name: 'drawn', version: seed },
    layerSizes,
    activation: 'relu',
    standardization: { mean: 0.3, std: 0.35 },
    parameters: Float32Array.from(initialize('uniform-fan-in', layerSizes, seed)),
    classNames,
  };
}

describe('a numeric thread', () => {
  let dataset: Dataset;
  let pool: Pool<never, never>;
  before(async () => {
    dataset = await loadDataset(DATA_DIR);
    pool = createPool(new URL('../../src/workers/numeric.worker.ts', import.meta.url), 1);
  });
  after(() => pool.close());

  test('evaluates on a whole split what the reference does', async () => {
    const network = networkOf(1, dataset.classNames);
    const evaluations = pool.tasks<EvaluationTask, ClassificationReport>('evaluate');
    const report = await evaluations.run({ network, examples: dataset.test });
    const count = dataset.test.labels.length;
    const reference = evaluate(network, network.parameters, dataset.test, firstIndices(count));
    let step = reference.next();
    while (!step.done) step = reference.next();
    assert.equal(report.examples, count);
    assert.ok(Math.abs(report.loss - step.value.loss) < 1e-6 * step.value.loss, `${report.loss}`);
    // Two logits that are equal but for rounding may fall either way.
    assert.ok(Math.abs(report.accuracy - step.value.accuracy) <= 2 / count, `${report.accuracy}`);
    const supports = report.classes.map(({ support }) => support);
    assert.deepEqual(supports, new Array(10).fill(1000));
  });

  test('compares two networks as their own evaluations say', async () => {
    const [network, other] = [networkOf(1, dataset.classNames), networkOf(2, dataset.classNames)];
    const examples = dataset.test;
    const comparison = await pool
      .tasks<ComparisonTask, Comparison>('compare')
      .run({ network, other, examples });
    const evaluations = pool.tasks<EvaluationTask, ClassificationReport>('evaluate');
    const [one, two] = [
      await evaluations.run({ network, examples }),
      await evaluations.run({ network: other, examples }),
    ];
    const { n10, n01, n11 } = comparison.counts;
    assert.equal((n10 + n11) / comparison.examples, one.accuracy);
    assert.equal((n01 + n11) / comparison.examples, two.accuracy);
    assert.ok(n10 > 0 && n01 > 0);
  });
});
