/**
 * Augmentation of training images (28 × 28 bytes): flip, shift, erasing and noise, in this order.
 * The arithmetic is in integers, so every engine computes the same bytes. The result depends on (seed, epoch,
 * position in the epoch) alone.
 */
import { PURPOSE, threefry2x32 } from '../random.ts';

/** The settings as whole numbers and lookup tables, computed once per training. */
export interface AugmentationPlan {
  readonly horizontalFlip: boolean;
  /** Largest shift in each direction, in pixels. */
  readonly shift: number;
  /** A rectangle of an image is erased if the image's random word is below this. */
  readonly eraseThreshold: number;
  /** Rectangles to erase: height and width, alternating. */
  readonly shapes: Uint8Array;
  /** Equally likely changes of a pixel; null without noise. */
  readonly noise: Int16Array | null;
}

export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
/** Number of equally likely changes of a pixel by noise. */
export const NOISE_CHANGES = 1024;
/** Areas and aspects of the rectangles to erase. */
const ERASE_STEPS = 32;
/** Largest number of rectangles. */
export const ERASE_SHAPES = ERASE_STEPS ** 2;

export function planAugmentation(settings: {
  readonly horizontalFlip: boolean;
  readonly shift: number;
  readonly noise: number;
  readonly erase: number;
}): AugmentationPlan {
  return {
    horizontalFlip: settings.horizontalFlip,
    shift: settings.shift,
    eraseThreshold: Math.min(Math.round(settings.erase * 2 ** 32), 2 ** 32 - 1),
    shapes: eraseShapes(),
    noise: settings.noise > 0 ? noiseTable(settings.noise) : null,
  };
}

/**
 * Rectangles of Zhong et al., "Random erasing data augmentation", AAAI 2020: area uniform in 2–33 % of the image, aspect
 * uniform in 0.3–3.3, redrawn if the rectangle does not fit. Here: 32 areas × 32 aspects, without those that do not fit.
 */
function eraseShapes(): Uint8Array {
  const shapes: number[] = [];
  for (let a = 0; a < ERASE_STEPS; a++) {
    const area = (0.02 + (0.31 * (a + 0.5)) / ERASE_STEPS) * PIXELS;
    for (let r = 0; r < ERASE_STEPS; r++) {
      const aspect = 0.3 + (3 * (r + 0.5)) / ERASE_STEPS;
      const height = Math.round(Math.sqrt(area * aspect));
      const width = Math.round(Math.sqrt(area / aspect));
      if (height >= 1 && width >= 1 && height < SIDE && width < SIDE) shapes.push(height, width);
    }
  }
  return Uint8Array.from(shapes);
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

/** `out` (784) ← the image that starts at `offset` of `pixels`, augmented. `out` must not overlap it. */
export function augment(
  out: Uint8Array,
  pixels: Uint8Array,
  offset: number,
  plan: AugmentationPlan,
  seed: number,
  epoch: number,
  position: number,
): void {
  flipAndShift(out, pixels, offset, plan, seed, epoch, position);
  if (plan.eraseThreshold > 0) erase(out, plan, seed, epoch, position);
  if (plan.noise !== null) addNoise(out, plan.noise, seed, epoch, position);
}

/**
 * Counter (position, epoch): the top bit of word 0 decides the flip; the halves of word 1 give the shifts to the
 * right and down. Uncovered pixels become 0.
 */
function flipAndShift(
  out: Uint8Array,
  pixels: Uint8Array,
  offset: number,
  { horizontalFlip, shift }: AugmentationPlan,
  seed: number,
  epoch: number,
  position: number,
): void {
  const flips = horizontalFlip && threefry2x32(0, seed, PURPOSE.flipAndShift, position, epoch) >= 2 ** 31;
  const word = threefry2x32(1, seed, PURPOSE.flipAndShift, position, epoch);
  const right = below(2 * shift + 1, word) - shift;
  const down = below(2 * shift + 1, lowHalf(word)) - shift;
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const fromX = x - right;
      const fromY = y - down;
      const inside = fromX >= 0 && fromX < SIDE && fromY >= 0 && fromY < SIDE;
      const column = flips ? SIDE - 1 - fromX : fromX;
      out[y * SIDE + x] = inside ? pixels[offset + fromY * SIDE + column]! : 0;
    }
  }
}

/**
 * Counter (2 · position, epoch) decides whether to erase, and the size of the rectangle; counter
 * (2 · position + 1, epoch) gives its top and left.
 */
function erase(
  out: Uint8Array,
  { eraseThreshold, shapes }: AugmentationPlan,
  seed: number,
  epoch: number,
  position: number,
): void {
  if (threefry2x32(0, seed, PURPOSE.erase, 2 * position, epoch) >= eraseThreshold) return;
  const shape = below(shapes.length / 2, threefry2x32(1, seed, PURPOSE.erase, 2 * position, epoch));
  const [height, width] = [shapes[2 * shape]!, shapes[2 * shape + 1]!];
  const top = below(SIDE - height + 1, threefry2x32(0, seed, PURPOSE.erase, 2 * position + 1, epoch));
  const left = below(SIDE - width + 1, threefry2x32(1, seed, PURPOSE.erase, 2 * position + 1, epoch));
  for (let y = top; y < top + height; y++) {
    out.fill(0, y * SIDE + left, y * SIDE + left + width);
  }
}

/**
 * Counter (196 · position + i / 4, epoch) covers pixels i … i + 3, two per word: the top ten bits of its high half, then
 * of its low half.
 */
function addNoise(out: Uint8Array, table: Int16Array, seed: number, epoch: number, position: number): void {
  for (let i = 0; i < PIXELS; i += 2) {
    const index = position * (PIXELS / 4) + (i >> 2);
    const word = threefry2x32(((i >> 1) & 1) as 0 | 1, seed, PURPOSE.noise, index, epoch);
    out[i] = clamp(out[i]! + table[word >>> 22]!);
    out[i + 1] = clamp(out[i + 1]! + table[(word >>> 6) & 1023]!);
  }
}

function clamp(x: number): number {
  return Math.min(Math.max(x, 0), 255);
}
