import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { rasterToPng } from '../../src/datasets/encoded-image.ts';
import { loadFashionMnist } from '../../src/datasets/fashion-mnist.ts';
import { type Dataset, IMAGE_PIXELS } from '../../src/domain/dataset.ts';
import { describeExplanation, explanationSchema } from '../../src/domain/explanation.ts';
import { magnitude } from '../../src/formats/drawing/colour-scale.ts';
import type { Raster } from '../../src/formats/drawing/raster.ts';
import { drawWeights } from '../../src/formats/drawing/weights.ts';
import { diagnose } from '../../src/numerics/diagnosis/diagnose.ts';
import { inverted } from '../../src/numerics/diagnosis/features.ts';
import {
  computeImageStatistics,
  type ImageStatistics,
} from '../../src/numerics/diagnosis/image-statistics.ts';
import { evaluate } from '../../src/numerics/evaluate.ts';
import type { ClassificationReport } from '../../src/numerics/evaluation/classification-report.ts';
import type { Comparison } from '../../src/numerics/evaluation/comparison.ts';
import { initialize } from '../../src/numerics/initialize.ts';
import type {
  ComparisonTask,
  EvaluationTask,
  ExplanationResult,
  ExplanationTask,
  ImageStatisticsTask,
  ServedNetwork,
  WeightsTask,
} from '../../src/workers/messages.ts';
import { createPool, type Pool } from '../../src/workers/pool.ts';
import { refused } from '../datasets/fixtures.ts';
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
    dataset = await loadFashionMnist(DATA_DIR);
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

  test('explains one image of a class, in numbers and in a picture that is a PNG', async () => {
    const network = networkOf(1, dataset.classNames);
    const explanations = pool.tasks<ExplanationTask, ExplanationResult>('explain');
    const pixels = dataset.test.pixels.slice(0, IMAGE_PIXELS);
    const images = { kind: 'batch', count: 1, pixels } as const;
    const { explained, drawing: picture } = await explanations.run({
      network,
      images,
      label: null,
      diagnosing: null,
    });
    const shown = describeExplanation(network.reference, network.classNames, explained);
    assert.deepEqual(explanationSchema.parse(shown), shown);
    assert.equal(shown.label, shown.predicted.label);
    assert.ok(magnitude(explained.occlusion) > 0 && magnitude(explained.gradient) > 0);
    const { width, height } = await sharp(await rasterToPng(picture)).metadata();
    assert.deepEqual([width, height], [picture.width, picture.height]);

    const unlikely = (explained.predicted + 1) % 10;
    const other = await explanations.run({ network, images, label: unlikely, diagnosing: null });
    assert.equal(other.explained.label, unlikely);
    assert.notDeepEqual(other.explained.gradient, explained.gradient);
  });

  test('explains in null and grey what a network overflows at', async () => {
    const network = { ...networkOf(1, dataset.classNames), standardization: null };
    network.parameters.fill(1e20);
    const explanations = pool.tasks<ExplanationTask, ExplanationResult>('explain');
    const pixels = dataset.test.pixels.slice(0, IMAGE_PIXELS);
    const images = { kind: 'batch', count: 1, pixels } as const;
    const { explained, drawing: picture } = await explanations.run({
      network,
      images,
      label: null,
      diagnosing: null,
    });
    const shown = describeExplanation(network.reference, network.classNames, explained);
    assert.deepEqual([explanationSchema.parse(shown), shown.probability], [shown, null]);
    assert.ok(picture.rgb.length > 0);
  });

  test('refuses to explain several images, or a class that there is not', async () => {
    const network = networkOf(1, dataset.classNames);
    const explanations = pool.tasks<ExplanationTask, ExplanationResult>('explain');
    const bytes = (count: number) =>
      ({ kind: 'bytes', bytes: new Uint8Array(count * IMAGE_PIXELS) }) as const;
    await assert.rejects(
      explanations.run({ network, images: bytes(2), label: null, diagnosing: null }),
      refused('impossible-request', /2 images/),
    );
    await assert.rejects(
      explanations.run({ network, images: bytes(1), label: 10, diagnosing: null }),
      refused('impossible-request', /at most 9/),
    );
  });

  test('draws the weights of a layer', async () => {
    const network = networkOf(1, dataset.classNames);
    const weights = pool.tasks<WeightsTask, Raster>('drawLayer');
    const drawn = await weights.run({ network, layer: 2 });
    assert.deepEqual(drawn, drawWeights(network.layerSizes, network.parameters, { layer: 2 }));
  });

  test('measures the pictures of a training part, and the statistics cross to whoever diagnoses', async () => {
    const examples = dataset.test;
    const measurements = pool.tasks<ImageStatisticsTask, ImageStatistics>('measureImages');
    const statistics = await measurements.run({ examples, classes: 10 });
    assert.deepEqual(statistics, computeImageStatistics(examples, 10));
    const [finding] = diagnose(inverted(examples.pixels.slice(0, IMAGE_PIXELS)), statistics);
    assert.equal(finding?.code, 'inverted');
  });
});
