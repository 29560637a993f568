/**
 * Augmentation of training images: flip, rotation and scale, shift, erasing and noise, in this order. All channels of a
 * pixel move together and are erased together; noise is added to every value.
 * The arithmetic is in integers, so every engine computes the same bytes. The result depends on (seed, epoch,
 * position in the epoch) alone.
 */
import { channelCount, type ImageShape } from '../network/image-shape.ts';
import { PURPOSE, threefry2x32 } from '../random.ts';
import type { Augmentation } from '../training/engine.ts';

/** The settings as whole numbers and lookup tables, computed once per training. */
export interface AugmentationPlan {
  readonly shape: ImageShape;
  readonly horizontalFlip: boolean;
  /** Largest shift in each direction, in pixels. */
  readonly shift: number;
  /** Equally likely rotations and scales; null if images are neither rotated nor scaled. */
  readonly warps: Int32Array | null;
  /** A rectangle of an image is erased if the image's random word is below this. */
  readonly eraseThreshold: number;
  /** Rectangles to erase: height and width, alternating; none if nothing is erased. */
  readonly rectangles: Uint8Array;
  /** Equally likely changes of a value; null without noise. */
  readonly noise: Int16Array | null;
}

/** Number of equally likely rotations and scales. */
export const WARPS = 1024;
/** Number of equally likely changes of a value by noise. */
export const NOISE_CHANGES = 1024;
/** Areas and aspects of the rectangles to erase. */
const ERASE_STEPS = 32;
/** Largest number of rectangles. */
export const ERASE_SHAPES = ERASE_STEPS ** 2;

/** Returns null if no image changes. */
export function planAugmentation(
  { horizontalFlip, shift, rotation, scale, noise, erase }: Augmentation,
  shape: ImageShape,
): AugmentationPlan | null {
  const isWarped = rotation > 0 || scale > 0;
  if (!horizontalFlip && shift === 0 && !isWarped && noise === 0 && erase === 0) return null;
  return {
    shape,
    horizontalFlip,
    shift,
    warps: isWarped ? warpTable(rotation, scale) : null,
    eraseThreshold: Math.min(Math.round(erase * 2 ** 32), 2 ** 32 - 1),
    rectangles: erase > 0 ? eraseRectangles(shape) : new Uint8Array(0),
    noise: noise > 0 ? noiseTable(noise) : null,
  };
}

/**
 * Entry k is (a, b) = 2¹⁶ (cos θ, sin θ) / s, rounded, for angles θ uniform in ± `rotation` degrees and scales s uniform in
 * 1 ± `scale`. Angles are in the order of k, and scales in the order of its reversed bits, so that all combinations occur
 * (Hammersley points).
 */
function warpTable(rotation: number, scale: number): Int32Array {
  const bits = Math.log2(WARPS);
  const centred = (k: number) => (2 * k + 1) / WARPS - 1;
  return Int32Array.from({ length: 2 * WARPS }, (_, i) => {
    const k = i >> 1;
    let reversed = 0;
    for (let bit = 0; bit < bits; bit++) reversed |= ((k >> bit) & 1) << (bits - 1 - bit);
    const angle = (centred(k) * rotation * Math.PI) / 180;
    const turned = i % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
    return Math.round((2 ** 16 * turned) / (1 + scale * centred(reversed)));
  });
}

/**
 * Rectangles of Zhong et al., "Random erasing data augmentation", AAAI 2020: area uniform in 2–33 % of the image, aspect
 * uniform in 0.3–3.3, redrawn if the rectangle does not fit. Here: 32 areas × 32 aspects, without those that do not fit.
 */
function eraseRectangles([rows, columns]: ImageShape): Uint8Array {
  const rectangles: number[] = [];
  for (let a = 0; a < ERASE_STEPS; a++) {
    const area = (0.02 + (0.31 * (a + 0.5)) / ERASE_STEPS) * rows * columns;
    for (let r = 0; r < ERASE_STEPS; r++) {
      const aspect = 0.3 + (3 * (r + 0.5)) / ERASE_STEPS;
      const height = Math.round(Math.sqrt(area * aspect));
      const width = Math.round(Math.sqrt(area / aspect));
      if (height >= 1 && width >= 1 && height < rows && width < columns) rectangles.push(height, width);
    }
  }
  return Uint8Array.from(rectangles);
}

/** round(255 · deviation · Φ⁻¹((k + ½) / 1024)): the normal distribution in 1024 equally likely steps. */
function noiseTable(deviation: number): Int16Array {
  return Int16Array.from({ length: NOISE_CHANGES }, (_, k) =>
    Math.round(255 * deviation * normalQuantile((k + 0.5) / NOISE_CHANGES)),
  );
}

/** Φ⁻¹, relative error below 1.2e-9 (P. J. Acklam, "An algorithm for computing the inverse normal", 2003). */
function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    const top = [-7.784894002430293e-3, -0.3223964580411365, -2.400758277161838, -2.549732539343734];
    const bottom = [7.784695709041462e-3, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
    return polynomial([...top, 4.374664141464968, 2.938163982698783], q) / polynomial(bottom, q);
  }
  const q = p - 0.5;
  const top = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269];
  const bottom = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972];
  const r = q * q;
  const above = polynomial([...top, -30.66479806614716, 2.506628277459239], r);
  return (above * q) / polynomial([...bottom, -13.28068155288572, 1], r);
}

/** Coefficients from the highest power down. */
function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, c) => sum * x + c, 0);
}

/** A whole number in [0, bound), from the top bits of a word. */
function below(bound: number, word: number): number {
  return Math.floor((word * bound) / 2 ** 32);
}

/** The low half of a word, shifted to the top. */
function lowHalf(word: number): number {
  return (word << 16) >>> 0;
}

/** `out` ← the image that starts at `offset` of `pixels`, augmented. `out` must not overlap it. */
export function augment(
  out: Uint8Array,
  pixels: Uint8Array,
  offset: number,
  plan: AugmentationPlan,
  seed: number,
  epoch: number,
  position: number,
): void {
  move(out, pixels.subarray(offset, offset + out.length), plan, seed, epoch, position);
  if (plan.eraseThreshold > 0) erase(out, plan, seed, epoch, position);
  if (plan.noise !== null) addNoise(out, plan.noise, seed, epoch, position);
}

/**
 * Counter (position, epoch): the top bit of word 0 decides the flip, and its next ten bits choose rotation and scale; the
 * halves of word 1 give the shifts to the right and down. Uncovered pixels become 0.
 */
function move(
  out: Uint8Array,
  image: Uint8Array,
  { shape, horizontalFlip, shift, warps }: AugmentationPlan,
  seed: number,
  epoch: number,
  position: number,
): void {
  const [height, width] = shape;
  const channels = channelCount(shape);
  const choice = threefry2x32(0, seed, PURPOSE.flipAndShift, position, epoch);
  const flips = horizontalFlip && choice >= 2 ** 31;
  const word = threefry2x32(1, seed, PURPOSE.flipAndShift, position, epoch);
  const right = below(2 * shift + 1, word) - shift;
  const down = below(2 * shift + 1, lowHalf(word)) - shift;
  const warp = 2 * ((choice >>> 21) & (WARPS - 1));
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        out[at++] =
          warps === null
            ? value(x - right, y - down, c)
            : interpolated(x - right, y - down, c, warps[warp]!, warps[warp + 1]!);
      }
    }
  }

  /** A value of the flipped image; 0 outside. */
  function value(x: number, y: number, c: number): number {
    if (x < 0 || x >= width || y < 0 || y >= height) return 0;
    return image[(y * width + (flips ? width - 1 - x : x)) * channels + c]!;
  }

  /**
   * The bilinear mean of the four values around the point from which (x, y) comes. Coordinates from the centre are doubled, to
   * be whole numbers, so those of the point are multiples of 2⁻¹⁷; eight bits of their fractions are used.
   */
  function interpolated(x: number, y: number, c: number, a: number, b: number): number {
    const [right, down] = [2 * x - (width - 1), 2 * y - (height - 1)];
    const fromX = a * right + b * down + (width - 1) * 2 ** 16;
    const fromY = a * down - b * right + (height - 1) * 2 ** 16;
    const [left, top] = [fromX >> 17, fromY >> 17];
    const [u, v] = [(fromX >> 9) & 255, (fromY >> 9) & 255];
    const upper = (256 - u) * value(left, top, c) + u * value(left + 1, top, c);
    const lower = (256 - u) * value(left, top + 1, c) + u * value(left + 1, top + 1, c);
    return ((256 - v) * upper + v * lower + 2 ** 15) >> 16;
  }
}

/**
 * Counter (2 · position, epoch) decides whether to erase, and the size of the rectangle; counter
 * (2 · position + 1, epoch) gives its top and left.
 */
function erase(
  out: Uint8Array,
  { shape, eraseThreshold, rectangles }: AugmentationPlan,
  seed: number,
  epoch: number,
  position: number,
): void {
  if (threefry2x32(0, seed, PURPOSE.erase, 2 * position, epoch) >= eraseThreshold) return;
  const [rows, columns] = shape;
  const channels = channelCount(shape);
  const chosen = below(rectangles.length / 2, threefry2x32(1, seed, PURPOSE.erase, 2 * position, epoch));
  const [height, width] = [rectangles[2 * chosen]!, rectangles[2 * chosen + 1]!];
  const top = below(rows - height + 1, threefry2x32(0, seed, PURPOSE.erase, 2 * position + 1, epoch));
  const left = below(columns - width + 1, threefry2x32(1, seed, PURPOSE.erase, 2 * position + 1, epoch));
  for (let y = top; y < top + height; y++) {
    const start = (y * columns + left) * channels;
    out.fill(0, start, start + width * channels);
  }
}

/**
 * Counter (⌈values / 4⌉ · position + ⌊i / 4⌋, epoch) covers values i … i + 3, two per word: the top ten bits of its high
 * half, then of its low half.
 */
function addNoise(out: Uint8Array, table: Int16Array, seed: number, epoch: number, position: number): void {
  const counters = Math.ceil(out.length / 4);
  for (let i = 0; i < out.length; i += 2) {
    const index = position * counters + (i >> 2);
    const word = threefry2x32(((i >> 1) & 1) as 0 | 1, seed, PURPOSE.noise, index, epoch);
    out[i] = clamp(out[i]! + table[word >>> 22]!);
    if (i + 1 < out.length) out[i + 1] = clamp(out[i + 1]! + table[(word >>> 6) & 1023]!);
  }
}

function clamp(x: number): number {
  return Math.min(Math.max(x, 0), 255);
}
