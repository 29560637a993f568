/**
 * Mixup (Zhang et al., "mixup: Beyond empirical risk minimization", ICLR 2018): each example of a batch is mixed with
 * another one, x̃ = λ x + (1 − λ) x′, and its loss is λ ℓ(y) + (1 − λ) ℓ(y′). λ is drawn from Beta(α, α) for each
 * batch. Pixels stay whole numbers and λ is a multiple of 1/256, so every engine computes the same bytes.
 */

import { PURPOSE, threefry2x32 } from '../random.ts';
import { shuffle } from './batches.ts';

const UNIT = 256;

export interface Mixup {
  /** α of Beta(α, α), 0 < α ≤ 1. The smaller, the closer is λ to 0 or 1. */
  readonly alpha: number;
}

/**
 * λ of the batch that begins at `start`, rounded to a multiple of 1/256. Jöhnk (1964): if u and v are uniform and
 * u^(1/α) + v^(1/α) ≤ 1, then u^(1/α) / (u^(1/α) + v^(1/α)) is from Beta(α, α). At least half of the attempts succeed
 * if α ≤ 1. Attempt k takes both words of counter (start, epoch) for the purpose + 256 k.
 */
export function drawMixingFraction({ alpha }: Mixup, seed: number, epoch: number, start: number): number {
  const power = 1 / alpha;
  for (let attempt = 0; ; attempt++) {
    const purpose = PURPOSE.mixingFraction + 256 * attempt;
    // Odd multiples of 2⁻³³, never 0 or 1.
    const u = (threefry2x32(0, seed, purpose, start, epoch) + 0.5) * 2 ** -32;
    const v = (threefry2x32(1, seed, purpose, start, epoch) + 0.5) * 2 ** -32;
    // The power of the quotient is not 0 / 0 where both powers underflow.
    if (u ** power + v ** power <= 1) return Math.round(UNIT / (1 + (v / u) ** power)) / UNIT;
  }
}

/** `out` ← a random permutation: example n of the batch that begins at `start` is mixed with example `out[n]`. */
export function drawPartners(out: Uint32Array, seed: number, epoch: number, start: number): void {
  for (let n = 0; n < out.length; n++) out[n] = n;
  shuffle(out, seed, PURPOSE.mixingPartners, epoch, start);
}

/** x ← λ x + (1 − λ) x′ for each pixel, rounded to a whole number, halves up. */
export function mixPixels(image: Uint8Array, other: Uint8Array, fraction: number): void {
  const weight = UNIT * fraction;
  for (let i = 0; i < image.length; i++) {
    image[i] = (weight * image[i]! + (UNIT - weight) * other[i]! + UNIT / 2) >> 8;
  }
}
