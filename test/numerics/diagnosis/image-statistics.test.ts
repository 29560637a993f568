import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitClassGaussians } from '../../../src/numerics/diagnosis/class-gaussians.ts';
import { diagnose } from '../../../src/numerics/diagnosis/diagnose.ts';
import { extractFeatures, FEATURES } from '../../../src/numerics/diagnosis/features.ts';
import { computeImageStatistics, imageLikelihood } from '../../../src/numerics/diagnosis/image-statistics.ts';
import {
  brightest,
  centreOfMass,
  inverted,
  transposed,
} from '../../../src/numerics/diagnosis/transformations.ts';
import { channelCount, type ImageShape, valueCount } from '../../../src/numerics/network/image-shape.ts';
import { PURPOSE, randomBits } from '../../../src/numerics/random.ts';

const COUNT = 120;
/** Every second image is fitted, so pairs have the same label. */
const labelOf = (n: number) => Math.floor(n / 2) % 2;

/** Upright rectangles, wide for class 0 and narrow for class 1, in the middle of dark images with some noise. */
function rectangles(shape: ImageShape, seed: number) {
  const [height, width] = shape;
  const channels = channelCount(shape);
  const values = valueCount(shape);
  const pixels = Uint8Array.from({ length: COUNT * values }, (_, i) => {
    const [n, place] = [Math.floor(i / values), Math.floor((i % values) / channels)];
    const [y, x] = [Math.floor(place / width), place % width];
    const noise = randomBits(seed, PURPOSE.noise, n, i % values) % 40;
    const half = (labelOf(n) === 0 ? 0.35 : 0.2) * width;
    const isInside = Math.abs(x - (width - 1) / 2) < half && Math.abs(y - (height - 1) / 2) < 0.42 * height;
    return (isInside ? 170 + (randomBits(seed, PURPOSE.erase, n, 0) % 40) : 0) + noise;
  });
  return { pixels, labels: Uint8Array.from({ length: COUNT }, (_, n) => labelOf(n)) };
}

for (const shape of [
  [8, 8],
  [20, 44],
  [9, 13],
  [32, 32, 3],
] as const) {
  test(`images of ${shape.join('×')} are diagnosed: usual, inverted, unscaled and off-centre`, () => {
    const statistics = computeImageStatistics(rectangles(shape, 1), shape, 2);
    const { pixels } = rectangles(shape, 2);
    const [height, width] = shape;
    const row = width * channelCount(shape);
    const imageOf = (n: number) => pixels.slice(n * valueCount(shape), (n + 1) * valueCount(shape));
    const found = (change: (image: Uint8Array) => Uint8Array | Float32Array, code: string) =>
      Array.from({ length: COUNT }, (_, n) => diagnose(change(imageOf(n)), shape, statistics)).filter(
        (findings) => findings.some((finding) => finding.code === code),
      ).length;
    const usual = Array.from({ length: COUNT }, (_, n) => diagnose(imageOf(n), shape, statistics));
    assert.ok(usual.filter((findings) => findings.length > 0).length < 0.1 * COUNT);
    assert.ok(found((image) => Uint8Array.from(inverted(image)), 'inverted') > 0.9 * COUNT);
    assert.equal(
      found((image) => Float32Array.from(image, (value) => value / 255), 'unscaled'),
      COUNT,
    );
    const down = (image: Uint8Array) => image.map((_, i) => image[i - Math.ceil(height / 4) * row] ?? 0);
    assert.ok(found(down, 'off-centre') > 0.9 * COUNT);
    assert.ok(found((image) => image, 'transposed') === 0 || height === width);
  });
}

test('only square images are found transposed', () => {
  const square = computeImageStatistics(rectangles([20, 20], 1), [20, 20], 2);
  const oblong = computeImageStatistics(rectangles([20, 44], 1), [20, 44], 2);
  assert.ok(Number.isFinite(square.transpositionGain));
  assert.equal(oblong.transpositionGain, Number.POSITIVE_INFINITY);
});

test('rejects statistics of images of another shape', () => {
  assert.throws(() => computeImageStatistics(rectangles([8, 8], 1), [8, 9], 2), {
    name: 'RangeError',
    message: 'Statistics need at least two images of 72 values, not 120 labels and 7680 values.',
  });
});

/** NumPy's quantile. */
function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = fraction * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (at % 1) * ((sorted[Math.floor(at) + 1] ?? below) - below);
}

test('even images are fitted, and the others give limits that nine in a thousand correct images exceed', () => {
  const shape = [8, 8] as const;
  // An odd number of images: one more is fitted than measured.
  const count = COUNT - 1;
  const all = rectangles(shape, 3);
  const images = Array.from({ length: count }, (_, n) => all.pixels.slice(64 * n, 64 * (n + 1)));
  const labels = all.labels.slice(0, count);
  const statistics = computeImageStatistics({ pixels: all.pixels.slice(0, 64 * count), labels }, shape, 2);
  const even = images.filter((_, n) => n % 2 === 0);
  const rows = new Float64Array(even.length * FEATURES);
  for (const [i, image] of even.entries()) {
    extractFeatures(rows.subarray(i * FEATURES, (i + 1) * FEATURES), image, shape);
  }
  const evenLabels = labels.filter((_, n) => n % 2 === 0);
  const gaussians = fitClassGaussians(rows, evenLabels, FEATURES, 2);
  assert.deepEqual(statistics.gaussians, gaussians);

  const odd = images.filter((_, n) => n % 2 === 1);
  const of = (image: Uint8Array | Float32Array) => imageLikelihood(gaussians, image, shape);
  const near = (actual: number, values: readonly number[], fraction: number) => {
    const expected = quantile(values, fraction);
    assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.abs(expected), `${actual} ${expected} ${fraction}`);
  };
  near(statistics.likelihood, odd.map(of), 0.003);
  near(
    statistics.inversionGain,
    odd.map((image) => of(inverted(image)) - of(image)),
    0.999,
  );
  near(
    statistics.transpositionGain,
    odd.map((image) => of(transposed(image, shape)) - of(image)),
    0.997,
  );
  near(statistics.brightest, odd.map(brightest), 0.002);
  for (const axis of ['x', 'y'] as const) {
    const places = odd.map((image) => centreOfMass(image, shape)[axis]);
    near(statistics.centre[axis].low, places, 0.0005);
    near(statistics.centre[axis].high, places, 0.9995);
  }
});

test('statistics need two images', () => {
  const of = (count: number) => {
    const { pixels, labels } = rectangles([8, 8], 1);
    return computeImageStatistics(
      { pixels: pixels.slice(0, 64 * count), labels: labels.slice(0, count) },
      [8, 8],
      2,
    );
  };
  assert.ok(Number.isFinite(of(2).brightest));
  assert.throws(() => of(1), RangeError);
});
