/** Exponential moving average (EMA) of the parameters: the model that a training publishes, if it averages. */

export interface Ema {
  /** Fraction of the average that each step keeps, 0 < decay < 1. */
  readonly decay: number;
}

/**
 * d_t = min(decay, (1 + t) / (10 + t)) of step t, from 1: `tf.train.ExponentialMovingAverage` with `num_updates`. The
 * average of the first steps covers the last tenth of them, so it forgets the initial parameters soon, and needs no
 * correction of its bias.
 */
export function emaDecay({ decay }: Ema, step: number): number {
  return Math.min(decay, (1 + step) / (10 + step));
}

/** w̄ ← w̄ + (1 − d) (w − w̄). It rounds less than d w̄ + (1 − d) w. */
export function updateAverage(average: Float64Array, parameters: Float64Array, decay: number): void {
  const rate = 1 - decay;
  for (let i = 0; i < average.length; i++) average[i]! += rate * (parameters[i]! - average[i]!);
}
