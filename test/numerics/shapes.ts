/** Fixtures of scripts/fixtures/shapes.py: images of several shapes, networks for them, and expected numbers. */

import { readFileSync } from 'node:fs';
import { fullyConnected, parameterCount } from '../../src/numerics/network/architecture.ts';
import { type ImageShape, valueCount } from '../../src/numerics/network/image-shape.ts';
import type { ByChannel } from '../../src/numerics/network/layers.ts';
import { randomBits } from '../../src/numerics/random.ts';
import type { Examples } from '../../src/numerics/training/engine.ts';

interface ShapeFixture {
  readonly shape: ImageShape;
  readonly mean: ByChannel;
  readonly std: ByChannel;
  readonly losses: number[];
  readonly gradientNorms: number[];
  /** Every 29th of the final parameters. */
  readonly final: number[];
  /** The first two images, flipped, rotated, scaled and shifted. */
  readonly warped: number[][];
  /** Of the first image. */
  readonly features: number[];
}

export const IMAGES = 16;
export const SHAPES = JSON.parse(
  readFileSync(new URL('../fixtures/numerics/shapes.json', import.meta.url), 'utf8'),
) as ShapeFixture[];

/** Half of the values of grey images are zero; colour images are photos without black. */
export function imagesOf(shape: ImageShape): Examples {
  const pixels = Uint8Array.from({ length: IMAGES * valueCount(shape) }, (_, i) => {
    const bits = randomBits(1, 0, 90, i);
    return shape.length === 3 || bits & 256 ? bits & 255 : 0;
  });
  return { pixels, labels: Uint8Array.from({ length: IMAGES }, (_, n) => n % 5) };
}

export function networkFor(shape: ImageShape) {
  const architecture = fullyConnected(shape, [11, 5]);
  const parameters = Float64Array.from(
    { length: parameterCount(architecture) },
    (_, i) => (randomBits(2, 0, 90, i) / 2 ** 31 - 1) / 8,
  );
  return { architecture, parameters };
}

export const every29th = (parameters: ArrayLike<number>) =>
  Array.from(parameters).filter((_, i) => i % 29 === 0);
