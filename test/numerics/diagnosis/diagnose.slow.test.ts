import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import { diagnose } from '../../../src/numerics/diagnosis/diagnose.ts';
import {
  computeImageStatistics,
  type ImageStatistics,
} from '../../../src/numerics/diagnosis/image-statistics.ts';
import { inverted, transposed } from '../../../src/numerics/diagnosis/transformations.ts';
import { PURPOSE, randomBits } from '../../../src/numerics/random.ts';
import type { Pixels } from '../../../src/numerics/training/engine.ts';
import { DATA_DIR } from '../../support/data-directory.ts';

const IMAGES = 1000;
const SHAPE = [28, 28] as const;
const turned = (image: Pixels) => transposed(image, SHAPE);
const divided = (image: Pixels) => Float32Array.from(image, (value) => value / 255);
/** The image moved eight pixels to the right, with black on the left. */
const moved = (image: Pixels) => image.map((_, i) => (i % 28 < 8 ? 0 : image[i - 8]!));
const noise = (image: Pixels, n: number) => image.map((_, i) => randomBits(0, PURPOSE.noise, n, i) % 256);

describe('an image compared with the training images', () => {
  let dataset: Dataset;
  let statistics: ImageStatistics;
  before(async () => {
    dataset = await loadFashionMnist(DATA_DIR);
    statistics = computeImageStatistics(dataset.train, SHAPE, dataset.classNames.length);
  });

  const imageOf = (n: number): Pixels => dataset.test.pixels.slice(n * 784, (n + 1) * 784);

  /** In how many of the first test images, changed, each thing is found. */
  function found(change: (image: Pixels, n: number) => Pixels): Record<string, number> {
    const counts: Record<string, number> = { any: 0 };
    for (let n = 0; n < IMAGES; n++) {
      const findings = diagnose(change(imageOf(n), n), SHAPE, statistics);
      if (findings.length > 0) counts['any']!++;
      for (const { code } of findings) counts[code] = (counts[code] ?? 0) + 1;
    }
    return counts;
  }

  test('has findings in fewer than one of a hundred correct images', () => {
    assert.ok(found((image) => image)['any']! < IMAGES / 100);
  });

  test('is always found inverted', () => {
    assert.equal(found(inverted)['inverted'], IMAGES);
  });

  test('is always found unscaled, without more findings than the scaled image', () => {
    const counts = found(divided);
    assert.equal(counts['unscaled'], IMAGES);
    const { any: _, unscaled: __, ...others } = counts;
    const { any: ___, ...scaled } = found((image) => image);
    assert.deepEqual(others, scaled);
  });

  test('is always found unscaled on the scales 0–16 and 0–32, but not if it is brighter', () => {
    for (const white of [16, 32]) {
      const scaled = found((image) => image.map((value) => Math.round((value * white) / 255)));
      assert.equal(scaled['unscaled'], IMAGES, `white is ${white}`);
      assert.ok(!scaled['inverted'] && scaled['any'] === IMAGES);
    }
    assert.equal(found((image) => Float32Array.from(image, (value) => value / 7))['unscaled'], undefined);
  });

  test('is not unscaled if the training images are as dark', () => {
    const dark = (pixels: Pixels) => Uint8Array.from(pixels, (value) => value >> 4);
    const ofDark = computeImageStatistics(
      { pixels: dark(dataset.test.pixels), labels: dataset.test.labels },
      SHAPE,
      dataset.classNames.length,
    );
    const findings = Array.from({ length: IMAGES }, (_, n) =>
      diagnose(dark(imageOf(n)), SHAPE, ofDark),
    ).flat();
    assert.ok(!findings.some(({ code }) => code === 'unscaled'));
  });

  test('is found transposed in most cases, even if also inverted or unscaled', () => {
    const counts = found(turned);
    assert.ok(counts['transposed']! > 0.85 * IMAGES, `${counts['transposed']}`);
    const both = found((image) => inverted(turned(image)));
    assert.deepEqual([both['inverted'], both['transposed']], [IMAGES, counts['transposed']]);
    assert.equal(found((image) => divided(turned(image)))['transposed'], counts['transposed']);
  });

  test('is found off-centre in most cases', () => {
    const { 'off-centre': times } = found(moved);
    assert.ok(times! > 0.75 * IMAGES, `${times}`);
  });

  test('is far from the training images if it is noise, and has no other finding', () => {
    assert.deepEqual(found(noise), { any: IMAGES, 'far-from-training-data': IMAGES });
  });

  test('is blank if all its pixels are equal', () => {
    for (const value of [0, 1, 255]) {
      assert.deepEqual(diagnose(new Uint8Array(784).fill(value), SHAPE, statistics), [
        { code: 'blank', value },
      ]);
    }
  });

  test('is not modified', () => {
    const image = inverted(imageOf(0));
    const copy = image.slice();
    diagnose(image, SHAPE, statistics);
    assert.deepEqual(image, copy);
  });
});

test('symmetrical and dark training images suppress the findings transposed and inverted', () => {
  const labels = Uint8Array.from({ length: 400 }, (_, n) => n % 2);
  const pixels = Uint8Array.from({ length: 400 * 784 }, (_, i) => {
    const [n, y, x] = [Math.floor(i / 784), Math.floor((i % 784) / 28), i % 28];
    const radius = 5 + (n % 2) * 4 + (randomBits(0, PURPOSE.noise, n, 0) % 3);
    return (x - 13.5) ** 2 + (y - 13.5) ** 2 < radius ** 2 ? 1 : 0;
  });
  const statistics = computeImageStatistics({ pixels, labels }, SHAPE, 2);
  for (let n = 0; n < 400; n++)
    assert.deepEqual(diagnose(pixels.slice(n * 784, (n + 1) * 784), SHAPE, statistics), []);
});

test('rejects statistics of fewer than two images', () => {
  const one = { pixels: new Uint8Array(784), labels: Uint8Array.of(0) };
  assert.throws(() => computeImageStatistics(one, SHAPE, 2), RangeError);
});
