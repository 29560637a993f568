/** Augmentation of images in their records, with the same bytes as src/numerics/augment.ts. */
import {
  EPOCH, ERASE_SHAPES, ERASE_SHAPE_COUNT, ERASE_THRESHOLD, FLIP, NOISE_TABLE, SEED, SHIFT,
} from './addresses.ts';
import { firstWords, secondWords, threefry } from './threefry.ts';

/** Values of PURPOSE in random.ts */
const FLIP_AND_SHIFT = 5;
const ERASE = 6;
const NOISE = 7;

const SIDE = 28;
const QUARTER = 196;
/** Bytes of a row of the copy from which images are shifted: 32 zeros, 28 pixels, zeros to the end. */
const COPY_ROW = 96;
const COPY_LEFT = 32;

/** A whole number in [0, bound), from the top bits of a word. */
@inline function below(bound: i32, word: u32): i32 {
  return <i32>((<u64>word * <u64>bound) >> 32);
}

@inline function draw(purpose: i32, counter: i32): void {
  threefry(load<i32>(SEED), purpose, i32x4.splat(counter), i32x4.splat(load<i32>(EPOCH)));
}

@inline function reversed(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

function flipAndShift(row: usize, copy: usize, position: i32): void {
  draw(FLIP_AND_SHIFT, position);
  const flips = load<i32>(FLIP) != 0 && i32x4.extract_lane(firstWords(), 0) < 0;
  const word: u32 = i32x4.extract_lane(secondWords(), 0);
  const shift = load<i32>(SHIFT);
  const right = below(2 * shift + 1, word) - shift;
  const down = below(2 * shift + 1, word << 16) - shift;
  const zero = i8x16.splat(0);
  for (let y: usize = 0; y < <usize>SIDE; y++) {
    const to = copy + y * COPY_ROW;
    const head = v128.load(row + y * SIDE);
    const tail = v128.load(row + y * SIDE + 12);
    v128.store(to, zero);
    v128.store(to, zero, 16);
    v128.store(to, flips ? reversed(tail) : head, 32);
    v128.store(to, zero, 60);
    v128.store(to, zero, 76);
    v128.store(to, zero, 80);
    v128.store(to, flips ? reversed(head) : tail, 44);
  }
  for (let y = 0; y < SIDE; y++) {
    const to = row + <usize>(y * SIDE);
    const fromY = y - down;
    if (fromY < 0 || fromY >= SIDE) {
      v128.store(to, zero);
      v128.store(to, zero, 12);
    } else {
      const from = copy + <usize>(fromY * COPY_ROW + COPY_LEFT - right);
      const head = v128.load(from);
      const tail = v128.load(from, 12);
      v128.store(to, head);
      v128.store(to, tail, 12);
    }
  }
}

function erase(row: usize, position: i32): void {
  draw(ERASE, 2 * position);
  if (<u32>i32x4.extract_lane(firstWords(), 0) >= load<u32>(ERASE_THRESHOLD)) return;
  const shape = below(load<i32>(ERASE_SHAPE_COUNT), i32x4.extract_lane(secondWords(), 0));
  const entry = <usize>load<u32>(ERASE_SHAPES) + (<usize>shape << 1);
  const height: i32 = load<u8>(entry);
  const width: i32 = load<u8>(entry, 1);
  draw(ERASE, 2 * position + 1);
  const top = below(SIDE - height + 1, i32x4.extract_lane(firstWords(), 0));
  const left = below(SIDE - width + 1, i32x4.extract_lane(secondWords(), 0));
  for (let y = top; y < top + height; y++) {
    memory.fill(row + <usize>(y * SIDE + left), 0, width);
  }
}

@inline function addTwo(at: usize, table: usize, word: u32): void {
  const a: i32 = <i32>load<u8>(at) + <i32>load<i16>(table + (<usize>(word >> 22) << 1));
  const b: i32 = <i32>load<u8>(at, 1) + <i32>load<i16>(table + (<usize>((word >> 6) & 1023) << 1));
  store<u8>(at, <u8>max(min(a, 255), 0));
  store<u8>(at, <u8>max(min(b, 255), 0), 1);
}

function addNoise(row: usize, table: usize, position: i32): void {
  const seed = load<i32>(SEED);
  const epoch = i32x4.splat(load<i32>(EPOCH));
  let counter = i32x4.add(i32x4.splat(position * QUARTER), i32x4(0, 1, 2, 3));
  for (let i = 0; i < QUARTER; i += 4, row += 16) {
    threefry(seed, NOISE, counter, epoch);
    counter = i32x4.add(counter, i32x4.splat(4));
    const first = firstWords();
    const second = secondWords();
    addTwo(row, table, i32x4.extract_lane(first, 0));
    addTwo(row + 2, table, i32x4.extract_lane(second, 0));
    addTwo(row + 4, table, i32x4.extract_lane(first, 1));
    addTwo(row + 6, table, i32x4.extract_lane(second, 1));
    addTwo(row + 8, table, i32x4.extract_lane(first, 2));
    addTwo(row + 10, table, i32x4.extract_lane(second, 2));
    addTwo(row + 12, table, i32x4.extract_lane(first, 3));
    addTwo(row + 14, table, i32x4.extract_lane(second, 3));
  }
}

/** Augments the image at `row`, at `position` of its epoch; `copy` is 28 · 96 bytes of the thread's scratch memory. */
export function augment(row: usize, copy: usize, position: i32): void {
  if (load<i32>(FLIP) != 0 || load<i32>(SHIFT) != 0) flipAndShift(row, copy, position);
  if (load<i32>(ERASE_THRESHOLD) != 0) erase(row, position);
  const noise: usize = load<u32>(NOISE_TABLE);
  if (noise != 0) addNoise(row, noise, position);
}
