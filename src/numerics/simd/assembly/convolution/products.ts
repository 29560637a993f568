/** Products of images and weights: convolutions, their gradients, and the same for examples of a fully connected layer. */
import { sumInputRows, sumPositionRows } from './sums.ts';

/** Largest number of rows of a block of sums. */
const MOST: i32 = 6;

/**
 * out_yx ← seeds_x + Σ over the runs of position (y, x), of a panel of 16 outputs. A convolution has three runs of 3 × channels
 * inputs, a row of the image apart; an example is one run. Positions are divided into blocks that are as equal as possible.
 */
export function multiplyPanel(
  input: usize, step: usize, rowStep: usize, runs: i32, run: i32, w: usize, wStep: usize, seeds: usize, seedStep: usize,
  out: usize, outStep: usize, outRowStep: usize, height: i32, width: i32, factors: usize,
): void {
  const blocks = (width + MOST - 1) / MOST;
  let x = 0;
  for (let b = 1; b <= blocks; b++) {
    const end = width * b / blocks;
    const at = <usize>x;
    sumInputRows(
      end - x, input + at * step, step, runs, rowStep, run, w, wStep, seeds + at * seedStep, seedStep, out + at * outStep,
      outStep, outRowStep, height, factors,
    );
    x = end;
  }
}

/** target_i += Σ_yx input_yx[i] dz_yx for i < count, of a panel of 16 outputs. */
export function sumGradient(
  count: i32, input: usize, step: usize, rowStep: usize, dz: usize, dzStep: usize, dzRowStep: usize, height: i32, width: i32,
  target: usize, targetStep: usize,
): void {
  for (let i = 0; i < count; i += MOST) {
    const at = <usize>i;
    sumPositionRows(
      min(MOST, count - i), input + (at << 2), step, rowStep, dz, dzStep, dzRowStep, height, width, target + at * targetStep,
      targetStep,
    );
  }
}
