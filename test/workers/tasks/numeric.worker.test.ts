import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import { describeExplanation, explanationSchema } from '../../../src/domain/predictions/explanation.ts';
import { magnitude } from '../../../src/formats/drawing/colour-scale.ts';
import { drawWeights } from '../../../src/formats/drawing/weights.ts';
import { rasterToPng } from '../../../src/images/encoded.ts';
import { diagnose } from '../../../src/numerics/diagnosis/diagnose.ts';
import { computeImageStatistics } from '../../../src/numerics/diagnosis/image-statistics.ts';
import { inverted } from '../../../src/numerics/diagnosis/transformations.ts';
import { evaluate } from '../../../src/numerics/evaluation/measure.ts';
import { initialize } from '../../../src/numerics/network/initialize.ts';
import type { ServedNetwork } from '../../../src/workers/kernel/compile.ts';
import { createNumericPool, type NumericPool } from '../../../src/workers/pools.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { firstIndices } from '../../numerics/fixtures.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { dense } from '../../support/dense.ts';

function networkOf(seed: number, classNames: readonly string[]): ServedNetwork {
  const architecture = dense([784, 12, classNames.length]);
  return {
    reference: { name: 'drawn', version: seed },
    architecture,
    activation: 'relu',
    standardization: { mean: 0.3, std: 0.35 },
    parameters: Float32Array.from(initialize('uniform-fan-in', architecture, seed)),
    classNames,
  };
}

describe('a numeric thread', () => {
  let dataset: Dataset;
  let pool: NumericPool;
  before(async () => {
    dataset = await loadFashionMnist(DATA_DIR);
    pool = createNumericPool();
  });
  after(() => pool.close());

  test('evaluates a whole split like the reference', async () => {
    const network = networkOf(1, dataset.classNames);
    const report = await pool.run('evaluate', { network, examples: dataset.test });
    const count = dataset.test.labels.length;
    const reference = evaluate(network, network.parameters, dataset.test, firstIndices(count));
    let step = reference.next();
    while (!step.done) step = reference.next();
    assert.equal(report.examples, count);
    assert.ok(Math.abs(report.loss - step.value.loss) < 1e-6 * step.value.loss, `${report.loss}`);
    // Logits that are equal within rounding may be ordered either way.
    assert.ok(Math.abs(report.accuracy - step.value.accuracy) <= 2 / count, `${report.accuracy}`);
    const supports = report.classes.map(({ support }) => support);
    assert.deepEqual(supports, new Array(10).fill(1000));
  });

  test('compares two networks consistently with their evaluations', async () => {
    const [network, other] = [networkOf(1, dataset.classNames), networkOf(2, dataset.classNames)];
    const examples = dataset.test;
    const comparison = await pool.run('compare', { network, other, examples });
    const [one, two] = [
      await pool.run('evaluate', { network, examples }),
      await pool.run('evaluate', { network: other, examples }),
    ];
    const { n10, n01, n11 } = comparison.counts;
    assert.equal((n10 + n11) / comparison.examples, one.accuracy);
    assert.equal((n01 + n11) / comparison.examples, two.accuracy);
    assert.ok(n10 > 0 && n01 > 0);
  });

  test('explains one image in numbers and as a PNG', async () => {
    const network = networkOf(1, dataset.classNames);
    const pixels = dataset.test.pixels.slice(0, 784);
    const images = { kind: 'batch', count: 1, pixels } as const;
    const { explained, drawing: picture } = await pool.run('explain', {
      network,
      images,
      label: null,
      diagnosing: null,
      calibration: null,
    });
    const shown = describeExplanation(network.reference, network.classNames, explained);
    assert.deepEqual(explanationSchema.parse(shown), shown);
    assert.equal(shown.label, shown.predicted.label);
    assert.ok(magnitude(explained.occlusion) > 0 && magnitude(explained.gradient) > 0);
    const { width, height } = await sharp(await rasterToPng(picture)).metadata();
    assert.deepEqual([width, height], [picture.width, picture.height]);

    const unlikely = (explained.predicted + 1) % 10;
    const other = await pool.run('explain', {
      network,
      images,
      label: unlikely,
      diagnosing: null,
      calibration: null,
    });
    assert.equal(other.explained.label, unlikely);
    assert.notDeepEqual(other.explained.gradient, explained.gradient);
  });

  test('explains a network that overflows with null and grey', async () => {
    const network = { ...networkOf(1, dataset.classNames), standardization: null };
    network.parameters.fill(1e20);
    const pixels = dataset.test.pixels.slice(0, 784);
    const images = { kind: 'batch', count: 1, pixels } as const;
    const { explained, drawing: picture } = await pool.run('explain', {
      network,
      images,
      label: null,
      diagnosing: null,
      calibration: null,
    });
    const shown = describeExplanation(network.reference, network.classNames, explained);
    assert.deepEqual([explanationSchema.parse(shown), shown.probability], [shown, null]);
    assert.ok(picture.rgb.length > 0);
  });

  test('rejects explaining several images or a missing class', async () => {
    const network = networkOf(1, dataset.classNames);
    const bytes = (count: number) => ({ kind: 'bytes', bytes: new Uint8Array(count * 784) }) as const;
    await assert.rejects(
      pool.run('explain', { network, images: bytes(2), label: null, diagnosing: null, calibration: null }),
      isAtelierError('impossible-request', /2 images/),
    );
    await assert.rejects(
      pool.run('explain', { network, images: bytes(1), label: 10, diagnosing: null, calibration: null }),
      isAtelierError('impossible-request', /at most 9/),
    );
  });

  test('draws the weights of a layer as a PNG', async () => {
    const network = networkOf(1, dataset.classNames);
    const drawn = await pool.run('drawLayer', { network, layer: 2 });
    const { rgb } = drawWeights(network, { layer: 2 });
    assert.deepEqual(new Uint8Array(await sharp(drawn).raw().toBuffer()), rgb);
  });

  test('measures the images of a training split, and the statistics can be sent to other threads', async () => {
    const examples = dataset.test;
    const statistics = await pool.run('measureImages', {
      examples,
      shape: dataset.imageShape,
      classes: 10,
    });
    assert.deepEqual(statistics, computeImageStatistics(examples, dataset.imageShape, 10));
    const image = inverted(examples.pixels.slice(0, 784));
    const [finding] = diagnose(image, dataset.imageShape, statistics);
    assert.equal(finding?.code, 'inverted');
  });
});
