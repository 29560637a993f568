import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnose } from '../../../src/numerics/diagnosis/diagnose.ts';
import { computeImageStatistics, imageLikelihood } from '../../../src/numerics/diagnosis/image-statistics.ts';
import { centreOfMass, inverted, transposed } from '../../../src/numerics/diagnosis/transformations.ts';
import { PURPOSE, randomBits } from '../../../src/numerics/random.ts';

const SHAPE = [8, 8] as const;
/** A light bar of 2 × 6 pixels in the middle of black, with up to 31 levels of noise. */
function bar(seed: number, left = 1, top = 3): Uint8Array {
  const image = new Uint8Array(64);
  for (let y = top; y < top + 2; y++)
    for (let x = left; x < left + 6; x++)
      image[8 * y + x] = 224 + (randomBits(1, PURPOSE.coordinateSample, seed, 8 * y + x) & 31);
  return image;
}
const COUNT = 400;
const pixels = new Uint8Array(64 * COUNT);
for (let n = 0; n < COUNT; n++) pixels.set(bar(n), 64 * n);
const statistics = computeImageStatistics({ pixels, labels: new Uint8Array(COUNT) }, SHAPE, 1);
const usual = bar(10_000);
const scaled = (factor: number) => Float32Array.from(usual, (value) => value * factor);
const codes = (image: Uint8Array | Float32Array, changes = {}) =>
  diagnose(image, SHAPE, { ...statistics, ...changes }).map(({ code }) => code);

test('an image like the training images has no finding', () => {
  assert.deepEqual(codes(usual), []);
});

test('an image of one level is blank', () => {
  assert.deepEqual(diagnose(new Uint8Array(64).fill(7), SHAPE, statistics), [{ code: 'blank', value: 7 }]);
});

test('an image of another scale is found, and corrected before other causes', () => {
  assert.deepEqual(codes(scaled(1 / 255)), ['unscaled']);
  assert.deepEqual(codes(scaled(16 / 255)), ['unscaled']);
  const max = Math.max(...usual);
  const [finding] = diagnose(scaled(1 / 255), SHAPE, statistics);
  assert.ok(finding?.code === 'unscaled' && Math.abs(finding.max - max / 255) < 1e-6);
  assert.deepEqual(codes(inverted(scaled(1)).map((value) => value / 255)), ['unscaled', 'inverted']);
});

test('an image is of another scale up to 32, if training images are more than four times as bright', () => {
  const at = (max: number, brightest: number) => codes(scaled(max / Math.max(...usual)), { brightest });
  assert.ok(at(32, 128.01).includes('unscaled'));
  assert.ok(!at(32, 128).includes('unscaled'));
  assert.ok(!at(33, 200).includes('unscaled'));
  assert.ok(at(1, 1.01).includes('unscaled'));
  assert.ok(!at(1, 1).includes('unscaled'));
});

test('light and dark, or rows and columns, are exchanged with their gain', () => {
  const negative = inverted(usual);
  const gain =
    imageLikelihood(statistics.gaussians, usual, SHAPE) -
    imageLikelihood(statistics.gaussians, negative, SHAPE);
  assert.deepEqual(diagnose(negative, SHAPE, statistics), [
    { code: 'inverted', gain, usual: statistics.inversionGain },
  ]);
  const turned = transposed(usual, SHAPE);
  const found = diagnose(turned, SHAPE, {
    ...statistics,
    centre: { x: { low: 0, high: 7 }, y: { low: 0, high: 7 } },
  });
  assert.deepEqual(
    found.map(({ code }) => code),
    ['transposed'],
  );
  assert.deepEqual(codes(negative, { inversionGain: gain }), ['far-from-training-data']);
  assert.deepEqual(codes(negative, { inversionGain: gain - 1 }), ['inverted']);
  assert.deepEqual(codes(inverted(turned)), ['inverted', 'transposed']);
});

test('an image beside the usual centre is off-centre', () => {
  const shifted = bar(10_000, 2, 5);
  const { x, y } = centreOfMass(shifted, SHAPE);
  const { centre } = statistics;
  assert.deepEqual(diagnose(shifted, SHAPE, statistics), [{ code: 'off-centre', x, y, centre }]);
  const own = centreOfMass(usual, SHAPE);
  const at = (low: number, high: number) => ({
    centre: { x: { low: own.x + low, high: own.x + high }, y: { low: own.y + low, high: own.y + high } },
  });
  assert.deepEqual(codes(usual, at(0, 0)), []);
  assert.deepEqual(codes(usual, at(0.01, 1)), ['off-centre']);
  assert.deepEqual(codes(usual, at(-1, -0.01)), ['off-centre']);
});

test('an unlikely image that nothing explains is far from the training images', () => {
  const image = usual.slice();
  for (let i = 0; i < 64; i += 3) image[i] = 255 - image[i]!;
  const wide = { centre: { x: { low: 0, high: 7 }, y: { low: 0, high: 7 } } };
  const likelihood = imageLikelihood(statistics.gaussians, image, SHAPE);
  assert.deepEqual(diagnose(image, SHAPE, { ...statistics, ...wide }), [
    { code: 'far-from-training-data', likelihood, usual: statistics.likelihood },
  ]);
  assert.deepEqual(codes(usual, { likelihood: imageLikelihood(statistics.gaussians, usual, SHAPE) }), []);
});

test('rows and columns are compared with the image whose light and dark have been exchanged', () => {
  const turned = transposed(usual, SHAPE);
  const found = diagnose(inverted(turned), SHAPE, statistics);
  const transposition = found.find((finding) => finding.code === 'transposed');
  const of = (image: Uint8Array | Float32Array) => imageLikelihood(statistics.gaussians, image, SHAPE);
  const gain = of(usual) - of(turned);
  assert.ok(transposition?.code === 'transposed');
  assert.ok(Math.abs(transposition.gain - gain) < 1e-9 * Math.abs(gain), `${transposition.gain} ${gain}`);
});

test('a change that makes an image less likely is never its cause, and one that makes it just likely enough is', () => {
  const everything = { likelihood: Number.NEGATIVE_INFINITY };
  assert.deepEqual(codes(usual, { ...everything, inversionGain: -1e9, transpositionGain: -1e9 }), []);
  const likelihood = imageLikelihood(statistics.gaussians, usual, SHAPE);
  assert.deepEqual(codes(inverted(usual), { likelihood }), ['inverted']);
});

test('an image with another finding is not reported as far from the training images, too', () => {
  assert.deepEqual(codes(scaled(1 / 255), { likelihood: Number.POSITIVE_INFINITY }), ['unscaled']);
});
