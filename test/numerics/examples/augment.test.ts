import assert from 'node:assert/strict';
import { test } from 'node:test';
import { augment, planAugmentation, WARPS } from '../../../src/numerics/examples/augment.ts';
import { type ImageShape, valueCount } from '../../../src/numerics/network/image-shape.ts';
import { randomBits } from '../../../src/numerics/random.ts';
import { PLAIN_SETTINGS } from '../../../src/numerics/training/engine.ts';
import { imagesOf as examplesOf, SHAPES } from '../shapes.ts';

const NOTHING = PLAIN_SETTINGS.augmentation;

/** Random images of whole numbers from 1, so that only what is uncovered or erased is 0. */
const imagesOf = (shape: ImageShape, count: number) =>
  Uint8Array.from({ length: count * valueCount(shape) }, (_, i) => 1 + (randomBits(2, 0, 98, i) % 255));

/** The planes of an image, red first. */
function planes(image: Uint8Array): Uint8Array[] {
  return [0, 1, 2].map((c) => image.filter((_, i) => i % 3 === c));
}

for (const [shape, count] of [
  // 9, 26 and 285 of 32 areas × 32 aspects do not fit.
  [[28, 28], 1015],
  [[8, 8], 998],
  [[20, 44], 739],
] as const) {
  test(`every rectangle to erase fits into an image of ${shape.join('×')}`, () => {
    const plan = planAugmentation({ ...NOTHING, erase: 1 }, shape)!;
    assert.equal(plan.rectangles.length, 2 * count);
    assert.ok(plan.rectangles.every((length, i) => length >= 1 && length < shape[i % 2]!));
  });
}

test('the channels of a pixel move together and are erased together', () => {
  const changes = { ...NOTHING, horizontalFlip: true, shift: 3, rotation: 30, scale: 0.3, erase: 0.5 };
  const [colour, grey] = [[14, 11, 3] as const, [14, 11] as const];
  const [values, pixels] = [valueCount(colour), valueCount(grey)];
  const plan = planAugmentation(changes, colour)!;
  const greyPlan = planAugmentation(changes, grey)!;
  const images = imagesOf(colour, 40);
  for (let n = 0; n < 40; n++) {
    const [out, plane] = [new Uint8Array(values), new Uint8Array(pixels)];
    augment(out, images, n * values, plan, 5, 2, n);
    for (const [c, source] of planes(images.subarray(n * values, (n + 1) * values)).entries()) {
      augment(plane, source, 0, greyPlan, 5, 2, n);
      assert.deepEqual(planes(out)[c], plane, `channel ${c} of image ${n}`);
    }
  }
});

test('noise differs from channel to channel', () => {
  const plan = planAugmentation({ ...NOTHING, noise: 0.2 }, [8, 8, 3])!;
  const out = new Uint8Array(192);
  augment(out, new Uint8Array(192).fill(128), 0, plan, 5, 2, 0);
  const [red, green, blue] = planes(out);
  assert.notDeepEqual(red, green);
  assert.notDeepEqual(green, blue);
});

test('a rotation by almost nothing moves an image like a shift alone', () => {
  const shape = [20, 44] as const;
  const changes = { ...NOTHING, horizontalFlip: true, shift: 9 };
  const shifted = planAugmentation(changes, shape)!;
  const warped = planAugmentation({ ...changes, rotation: 1e-6 }, shape)!;
  const images = imagesOf(shape, 30);
  const [out, expected] = [new Uint8Array(880), new Uint8Array(880)];
  for (let n = 0; n < 30; n++) {
    augment(out, images, n * 880, warped, 1, 1, n);
    augment(expected, images, n * 880, shifted, 1, 1, n);
    assert.deepEqual(out, expected);
  }
});

test('rotations and scales are uniform within their limits, and independent of each other', () => {
  const { warps } = planAugmentation({ ...NOTHING, rotation: 30, scale: 0.25 }, [8, 8])!;
  const drawn = Array.from({ length: WARPS }, (_, k) => {
    const [a, b] = [warps![2 * k]!, warps![2 * k + 1]!];
    return { angle: (Math.atan2(b, a) * 180) / Math.PI, scale: 2 ** 16 / Math.hypot(a, b) };
  });
  const evenly = (values: number[], low: number, high: number) => {
    for (const [i, value] of values.sort((x, y) => x - y).entries()) {
      const expected = low + ((high - low) * (i + 0.5)) / WARPS;
      assert.ok(Math.abs(value - expected) < 1e-3 * (high - low), `${value}, not ${expected}`);
    }
  };
  evenly(
    drawn.map(({ angle }) => angle),
    -30,
    30,
  );
  evenly(
    drawn.map(({ scale }) => scale),
    0.75,
    1.25,
  );
  const product = drawn.reduce((sum, { angle, scale }) => sum + (angle / 30) * (4 * (scale - 1)), 0) / WARPS;
  assert.ok(Math.abs(product) < 0.01, `${product}`);
});

for (const { shape, warped } of SHAPES) {
  test(`flipped, rotated, scaled and shifted images of ${shape.join('×')} agree with SciPy within two levels`, () => {
    const values = valueCount(shape);
    const changes = { ...NOTHING, horizontalFlip: true, shift: 3, rotation: 45, scale: 0.5 };
    const plan = planAugmentation(changes, shape)!;
    const { pixels } = examplesOf(shape);
    const out = new Uint8Array(values);
    for (const [n, expected] of warped.entries()) {
      augment(out, pixels, n * values, plan, 6, 2, 40 + n);
      const differences = expected.map((value, i) => Math.abs(out[i]! - value));
      // Eight bits of a coordinate are used, so a value differs by up to 255 / 256 in each direction.
      assert.ok(Math.max(...differences) <= 2, `image ${n}: ${Math.max(...differences)}`);
      assert.ok(expected.some((value) => value === 0) && expected.some((value) => value > 0));
    }
  });
}
