/** Augmentation of images in their records, with the same bytes as src/numerics/examples/augment.ts. */
import {
  COPY_LEFT, COPY_STRIDE, EPOCH, ERASE_SHAPES, ERASE_SHAPE_COUNT, ERASE_THRESHOLD, FLIP, IMAGE_CHANNELS, IMAGE_HEIGHT,
  IMAGE_WIDTH, NOISE_TABLE, SEED, SHIFT, WARP_TABLE,
} from './addresses.ts';
import { threefry } from './threefry.ts';

/** Values of PURPOSE in random.ts */
const FLIP_AND_SHIFT = 5;
const ERASE = 6;
const NOISE = 7;

/** A whole number in [0, bound), from the top bits of a word. */
@inline function below(bound: i32, word: u32): i32 {
  return <i32>((<u64>word * <u64>bound) >> 32);
}

/** Writes word 0 of the counter to `words`, and word 1 to `words` + 32. */
@inline function draw(purpose: i32, counter: i32, words: usize): void {
  threefry(load<i32>(SEED), purpose, counter, load<i32>(EPOCH), words);
}

/** Bytes in reverse order. */
@inline function reversed(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

/** The first fifteen bytes, five pixels of three channels, with the pixels in reverse order. */
@inline function reversedPixels(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2, 15);
}

/**
 * Copies the image to rows between zeros; see imageCopy in ../layout.ts. Whole vectors are written, and what they write
 * too much is overwritten by the zeros behind the row.
 */
function copyImage(row: usize, copy: usize, flips: bool): void {
  const bytes: usize = load<i32>(IMAGE_WIDTH) * load<i32>(IMAGE_CHANNELS);
  const left: usize = load<u32>(COPY_LEFT);
  const stride: usize = load<u32>(COPY_STRIDE);
  const grey = load<i32>(IMAGE_CHANNELS) == 1;
  const zero = i8x16.splat(0);
  for (let y = load<i32>(IMAGE_HEIGHT); y > 0; y--, row += bytes, copy += stride) {
    const to = copy + left;
    for (let v: usize = 0; v < left; v += 16) v128.store(copy + v, zero);
    if (!flips) for (let v: usize = 0; v < bytes; v += 16) v128.store(to + v, v128.load(row + v));
    else if (grey) for (let v: usize = 0; v < bytes; v += 16) v128.store(to + v, reversed(v128.load(row + bytes - 16 - v)));
    else for (let v: usize = 0; v < bytes; v += 15) v128.store(to + v, reversedPixels(v128.load(row + bytes - 15 - v)));
    for (let v = left + bytes; v < stride; v += 16) v128.store(copy + v, zero);
  }
}

/** Whole vectors are written: each row over what the one before has written too much. */
function shiftImage(row: usize, copy: usize, right: i32, down: i32): void {
  const height = load<i32>(IMAGE_HEIGHT);
  const channels = load<i32>(IMAGE_CHANNELS);
  const bytes: usize = load<i32>(IMAGE_WIDTH) * channels;
  const stride = load<i32>(COPY_STRIDE);
  const start = copy + <usize>(load<i32>(COPY_LEFT) - right * channels);
  const zero = i8x16.splat(0);
  for (let y = -down; y < height - down; y++, row += bytes) {
    if (y < 0 || y >= height) for (let v: usize = 0; v < bytes; v += 16) v128.store(row + v, zero);
    else {
      const from = start + <usize>(y * stride);
      for (let v: usize = 0; v < bytes; v += 16) v128.store(row + v, v128.load(from + v));
    }
  }
}

/** Rotates, scales and shifts the image; `entry` has the numbers a and b of augment.ts. */
function warpImage(row: usize, copy: usize, right: i32, down: i32, entry: usize): void {
  const height = load<i32>(IMAGE_HEIGHT);
  const width = load<i32>(IMAGE_WIDTH);
  const channels: usize = load<i32>(IMAGE_CHANNELS);
  const stride: usize = load<u32>(COPY_STRIDE);
  const start = copy + <usize>load<u32>(COPY_LEFT);
  const a = load<i32>(entry);
  const b = load<i32>(entry, 4);
  memory.fill(copy - stride, 0, stride);
  memory.fill(copy + <usize>height * stride, 0, stride);
  for (let y = 0; y < height; y++) {
    const toDown = 2 * (y - down) - (height - 1);
    const toRight = -2 * right - (width - 1);
    let fromX = a * toRight + b * toDown + ((width - 1) << 16);
    let fromY = a * toDown - b * toRight + ((height - 1) << 16);
    for (let x = 0; x < width; x++, fromX += 2 * a, fromY -= 2 * b) {
      const left = fromX >> 17;
      const top = fromY >> 17;
      const inside = left >= -1 && left < width && top >= -1 && top < height;
      const u = (fromX >> 9) & 255;
      const v = (fromY >> 9) & 255;
      const from = start + (inside ? <usize>(top * <i32>stride + left * <i32>channels) : 0);
      for (let c: usize = 0; c < channels; c++, row++) {
        const at = from + c;
        const upper = (256 - u) * <i32>load<u8>(at) + u * <i32>load<u8>(at + channels);
        const lower = (256 - u) * <i32>load<u8>(at + stride) + u * <i32>load<u8>(at + stride + channels);
        store<u8>(row, inside ? <u8>(((256 - v) * upper + v * lower + (1 << 15)) >> 16) : 0);
      }
    }
  }
}

function move(row: usize, copy: usize, position: i32): void {
  draw(FLIP_AND_SHIFT, position, copy);
  const choice = load<i32>(copy);
  const word = load<u32>(copy, 32);
  const shift = load<i32>(SHIFT);
  const right = below(2 * shift + 1, word) - shift;
  const down = below(2 * shift + 1, word << 16) - shift;
  // A row of zeros precedes the image.
  const image = copy + <usize>load<u32>(COPY_STRIDE);
  copyImage(row, image, load<i32>(FLIP) != 0 && choice < 0);
  const warps: usize = load<u32>(WARP_TABLE);
  if (warps) warpImage(row, image, right, down, warps + (<usize>((choice >> 21) & 1023) << 3));
  else shiftImage(row, image, right, down);
}

function erase(row: usize, words: usize, position: i32): void {
  draw(ERASE, 2 * position, words);
  if (load<u32>(words) >= load<u32>(ERASE_THRESHOLD)) return;
  const chosen = below(load<i32>(ERASE_SHAPE_COUNT), load<u32>(words, 32));
  const entry = <usize>load<u32>(ERASE_SHAPES) + (<usize>chosen << 1);
  const height: i32 = load<u8>(entry);
  const width: i32 = load<u8>(entry, 1);
  draw(ERASE, 2 * position + 1, words);
  const columns = load<i32>(IMAGE_WIDTH);
  const channels = load<i32>(IMAGE_CHANNELS);
  const top = below(load<i32>(IMAGE_HEIGHT) - height + 1, load<u32>(words));
  const left = below(columns - width + 1, load<u32>(words, 32));
  for (let y = top; y < top + height; y++) {
    memory.fill(row + <usize>((y * columns + left) * channels), 0, width * channels);
  }
}

@inline function addTwo(at: usize, table: usize, word: u32): void {
  const a: i32 = <i32>load<u8>(at) + <i32>load<i16>(table + (<usize>(word >> 22) << 1));
  const b: i32 = <i32>load<u8>(at, 1) + <i32>load<i16>(table + (<usize>((word >> 6) & 1023) << 1));
  store<u8>(at, <u8>max(min(a, 255), 0));
  store<u8>(at, <u8>max(min(b, 255), 0), 1);
}

/** Changes whole groups of four values; up to three bytes behind an image are not part of it. */
function addNoise(row: usize, words: usize, table: usize, position: i32): void {
  const values = load<i32>(IMAGE_HEIGHT) * load<i32>(IMAGE_WIDTH) * load<i32>(IMAGE_CHANNELS);
  const counters = (values + 3) >> 2;
  for (let i = 0; i < counters; i += 8) {
    threefry(load<i32>(SEED), NOISE, position * counters + i, load<i32>(EPOCH), words);
    const end = words + (<usize>min(counters - i, 8) << 2);
    for (let word = words; word < end; word += 4, row += 4) {
      addTwo(row, table, load<u32>(word));
      addTwo(row + 2, table, load<u32>(word, 32));
    }
  }
}

/** Augments the image at `row`, at `position` of its epoch; `copy` is scratch memory of the thread for its copy. */
export function augment(row: usize, copy: usize, position: i32): void {
  if (load<i32>(FLIP) | load<i32>(SHIFT) | load<i32>(WARP_TABLE)) move(row, copy, position);
  if (load<i32>(ERASE_THRESHOLD) != 0) erase(row, copy, position);
  const noise: usize = load<u32>(NOISE_TABLE);
  if (noise != 0) addNoise(row, copy, noise, position);
}
