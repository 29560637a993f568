/** Fixtures of scripts/fixtures/convolutions.py: networks with convolutions, and expected numbers. */
import { readFileSync } from 'node:fs';
import { type Architecture, blocks } from '../../src/numerics/network/architecture.ts';
import { valueCount } from '../../src/numerics/network/image-shape.ts';
import { randomBits } from '../../src/numerics/random.ts';
import type { EngineSettings, Examples } from '../../src/numerics/training/engine.ts';

export interface ConvolutionFixture {
  readonly name: string;
  readonly architecture: Architecture;
  readonly settings: Pick<
    EngineSettings,
    'activation' | 'standardization' | 'l1' | 'l2' | 'dropout' | 'seed' | 'optimizer'
  >;
  /** Of the first batch, without dropout. */
  readonly logits: number[];
  /** ∂ log p of class 2 of image 1, with respect to its pixels / 255. */
  readonly saliency: number[];
  /** Of the objective, on the first batch. */
  readonly gradient: number[];
  readonly losses: number[];
  readonly gradientNorms: number[];
  readonly final: number[];
}

export const IMAGES = 8;
export const BATCH = 4;
export const RATE = 0.05;

export const CONVOLUTIONS = JSON.parse(
  readFileSync(new URL('../fixtures/numerics/convolutions.json', import.meta.url), 'utf8'),
) as ConvolutionFixture[];

/** About half of the values are zero. The first image is constant, so that many maxima are shared. */
export function imagesFor({ inputShape, classes }: Architecture): Examples {
  const inputs = valueCount(inputShape);
  const pixels = Uint8Array.from({ length: IMAGES * inputs }, (_, i) => {
    const bits = randomBits(1, 0, 91, i);
    return bits & 256 ? bits & 255 : 0;
  });
  pixels.fill(200, 0, inputs);
  return { pixels, labels: Uint8Array.from({ length: IMAGES }, (_, n) => n % classes) };
}

/** Uniform in ±1/2; the scales of norms in 1 ± 1/2. */
export function parametersFor(architecture: Architecture): Float64Array {
  const found = blocks(architecture).flatMap(({ name, start, end }) =>
    Array.from({ length: end - start }, (_, i) => {
      const base = name.startsWith('gamma') ? 1 : 0;
      return (randomBits(2, 0, 91, start + i) / 2 ** 31 - 1) / 2 + base;
    }),
  );
  return Float64Array.from(found);
}
