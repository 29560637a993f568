import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import { preflightCost } from '../../../src/numerics/checks/cost.ts';
import { engineDifference } from '../../../src/numerics/checks/kernel.ts';
import { pixelStatistics } from '../../../src/numerics/examples/statistics.ts';
import type { Architecture } from '../../../src/numerics/network/architecture.ts';
import { INITIALIZATIONS, initialize } from '../../../src/numerics/network/initialize.ts';
import { unpack } from '../../../src/numerics/network/layers.ts';
import { createKernelEngine, KERNEL_TOLERANCE } from '../../../src/workers/kernel/compile.ts';
import { preflightGradientCheck } from '../../../src/workers/training/gradient-check.ts';
import { firstIndices, settingsOf } from '../../numerics/fixtures.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { dense } from '../../support/dense.ts';

const { train } = await loadFashionMnist(DATA_DIR);
const architecture = dense([784, 12, 10]);

test('a freshly initialised network passes, with both figures', () => {
  const report = preflightGradientCheck(settingsOf(architecture), initialize('he', architecture, 0), train);
  assert.deepEqual(
    [report.passed, report.reason, report.advice, report.coordinates],
    [true, null, null, 200],
  );
  assert.ok(report.relativeError > 0 && report.relativeError < 1e-7);
  assert.equal(report.kernel?.name, 'simd-float32');
  const { maxRelativeDifference } = report.kernel;
  assert.ok(maxRelativeDifference > 0 && maxRelativeDifference < 1e-5, String(maxRelativeDifference));
});

test('the check covers the whole objective, with all its terms', () => {
  const settings = settingsOf(architecture, {
    l1: 1e-3,
    l2: 1e-2,
    dropout: 0.5,
    labelSmoothing: 0.1,
    classWeights: Float64Array.from({ length: 10 }, (_, label) => label / 4),
    standardization: { mean: 0.286, std: 0.353 },
    augmentation: { horizontalFlip: true, shift: 3, rotation: 20, scale: 0.2, noise: 0.2, erase: 0.5 },
    mixup: { alpha: 1 },
  });
  const report = preflightGradientCheck(settings, initialize('glorot', architecture, 2), train);
  assert.equal(report.passed, true, JSON.stringify(report));
  assert.ok(report.kernel!.maxRelativeDifference < 1e-5);
});

test('reports cancellation by standardization, not the processor, for almost constant pixels', () => {
  const pixels = Uint8Array.from({ length: 784 * 40 }, (_, i) => 200 + ((i * 7919) % 3 === 0 ? 1 : 0));
  pixels[0] = 199;
  const flat = { pixels, labels: Uint8Array.from({ length: 40 }, (_, n) => n % 10) };
  const standardization = pixelStatistics(flat, Uint32Array.from(flat.labels.keys()), [28, 28]);
  const report = preflightGradientCheck(
    settingsOf(architecture, { standardization }),
    initialize('he', architecture, 0),
    flat,
  );
  assert.deepEqual([report.passed, report.reason], [false, 'standardization-cancels']);
  assert.match(report.advice!, /deviation of 0\.47\d around their mean 200\. .* Omit "standardize"/);
  assert.equal(
    preflightGradientCheck(settingsOf(architecture), initialize('he', architecture, 0), flat).passed,
    true,
  );
});

test('a batch of one is checked with one example', () => {
  const settings = settingsOf(architecture, { batchSize: 1 });
  assert.equal(preflightGradientCheck(settings, initialize('he', architecture, 0), train).passed, true);
});

test('a confident correct network passes, although rounding dominates its gradient', () => {
  const parameters = initialize('he', architecture, 0);
  const output = unpack(parameters, architecture)[1]!;
  output.weights.fill(0);
  for (const gap of [10, 17, 30, 300]) {
    output.biases.fill(0);
    output.biases[3] = gap;
    const one = { pixels: train.pixels.subarray(0, 784 * 5), labels: new Uint8Array(5).fill(3) };
    const report = preflightGradientCheck(settingsOf(architecture), parameters, one);
    assert.equal(report.passed, true, `${gap}: ${JSON.stringify(report)}`);
  }
});

test('a unit that rounding moves across a kink does not fail the check', () => {
  const settings = settingsOf(dense([784, 64, 10]));
  const ofFirst = (parameters: Float64Array) =>
    engineDifference(createKernelEngine, settings, parameters, train, firstIndices(5));
  const candidates = Array.from({ length: 64 }, (_, unit) => atKink(unit));
  const parameters = candidates.find((candidate) => ofFirst(candidate) > KERNEL_TOLERANCE);
  assert.ok(parameters, 'at some unit float32 and float64 do not agree');
  const report = preflightGradientCheck(settings, parameters, train);
  assert.equal(report.passed, true, JSON.stringify(report));
  assert.ok(report.kernel!.maxRelativeDifference <= KERNEL_TOLERANCE);
  // The third comparison has other examples than the first two, and is the last one.
  const withFirstAt = (...places: number[]) => {
    const examples = { pixels: train.pixels.slice(0, 784 * 40), labels: train.labels.slice(0, 40) };
    for (const place of places) examples.pixels.set(train.pixels.subarray(0, 784), 784 * place);
    for (const place of places) examples.labels[place] = train.labels[0]!;
    return preflightGradientCheck(settings, parameters, examples).passed;
  };
  assert.deepEqual([withFirstAt(5), withFirstAt(5, 10)], [true, false]);
});

test('a check whose examples are at kinks is repeated with others, at most twice', () => {
  const small = dense([4, 20, 3]);
  // Without biases, every unit of an image of zeros is at its kink.
  const withZeros = (images: number) => {
    const pixels = Uint8Array.from({ length: 4 * 20 }, (_, i) =>
      i < 4 * images ? 0 : 40 + ((i * 89) % 200),
    );
    const examples = { pixels, labels: Uint8Array.from({ length: 20 }, (_, n) => n % 3) };
    const { reason, kinks } = preflightGradientCheck(settingsOf(small), initialize('he', small, 0), examples);
    return { reason, kinks };
  };
  assert.deepEqual(withZeros(10), { reason: null, kinks: 0 });
  assert.deepEqual(withZeros(15), { reason: 'too-many-kinks', kinks: 20 });
});

test('a check can be aborted between its parts', () => {
  const [settings, parameters] = [settingsOf(architecture), initialize('he', architecture, 0)];
  let pieces = 0;
  preflightGradientCheck(settings, parameters, train, () => void pieces++);
  assert.equal(pieces, 3, 'twice within the gradient check, and before the comparison with the kernel');
  for (let last = 1; last <= pieces; last++) {
    let n = 0;
    const end = () => {
      if (++n === last) throw new RangeError(`ended after ${n}`);
    };
    assert.throws(() => preflightGradientCheck(settings, parameters, train, end), {
      message: `ended after ${last}`,
    });
  }
});

/** A network of 64 hidden units, one of which is 0 within rounding on the first image. */
function atKink(unit: number): Float64Array {
  const architecture = dense([784, 64, 10]);
  const parameters = Float64Array.from(Float32Array.from(initialize('uniform-fan-in', architecture, 0)));
  const { weights, biases } = unpack(parameters, architecture)[0]!;
  const row = weights.subarray(784 * unit, 784 * (unit + 1));
  biases[unit] = Math.fround(-row.reduce((sum, w, j) => sum + (w * train.pixels[j]!) / 255, 0));
  return parameters;
}

test('a network with convolutions is checked in a sample of every block, on few images', () => {
  for (const init of INITIALIZATIONS) {
    for (const norm of ['none', 'group'] as const) {
      const network: Architecture = {
        inputShape: [28, 28],
        convolutions: [[8], [4, 8]],
        norm,
        hidden: [20],
        classes: 10,
      };
      const settings = settingsOf(network, { standardization: { mean: 0.286, std: 0.353 }, dropout: 0.2 });
      const report = preflightGradientCheck(settings, initialize(init, network, 3), train);
      assert.deepEqual([report.passed, report.reason, report.coordinates], [true, null, 100], init);
      const { maxRelativeDifference } = report.kernel!;
      assert.ok(
        maxRelativeDifference > 0 && maxRelativeDifference < 1e-5,
        `${init}: ${maxRelativeDifference}`,
      );
    }
  }
});

test('a wrong gradient of a kernel of a convolution fails', () => {
  const network: Architecture = {
    inputShape: [28, 28],
    convolutions: [[4]],
    norm: 'none',
    hidden: [],
    classes: 10,
  };
  const parameters = initialize('he', network, 3);
  const difference = engineDifference(
    (settings, initial) => {
      const engine = createKernelEngine(settings, initial);
      return {
        ...engine,
        gradient(out, ...rest) {
          engine.gradient(out, ...rest);
          out[5]! *= 1.01;
        },
      };
    },
    settingsOf(network),
    parameters,
    train,
    firstIndices(2),
  );
  assert.ok(difference > KERNEL_TOLERANCE, String(difference));
});

test('the cost of a check with convolutions grows with the network up to a limit', () => {
  const cost = (channels: number) =>
    preflightCost({
      inputShape: [28, 28],
      convolutions: [[channels, channels]],
      norm: 'none',
      hidden: [],
      classes: 10,
    });
  assert.ok(cost(32) > 4 * cost(8));
  assert.ok(cost(256) > 1e9 && cost(256) <= 4e9);
});
