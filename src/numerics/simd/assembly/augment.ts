/** Augmentation of images in their records, with the same bytes as src/numerics/examples/augment.ts. */
import {
  EPOCH, ERASE_SHAPES, ERASE_SHAPE_COUNT, ERASE_THRESHOLD, FLIP, NOISE_TABLE, SEED, SHIFT,
} from './addresses.ts';
import { threefry } from './threefry.ts';

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

/** Writes word 0 of the counter to `words`, and word 1 to `words` + 32. */
@inline function draw(purpose: i32, counter: i32, words: usize): void {
  threefry(load<i32>(SEED), purpose, counter, load<i32>(EPOCH), words);
}

@inline function reversed(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

function flipAndShift(row: usize, copy: usize, position: i32): void {
  draw(FLIP_AND_SHIFT, position, copy);
  const flips = load<i32>(FLIP) != 0 && load<i32>(copy) < 0;
  const word = load<u32>(copy, 32);
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

function erase(row: usize, words: usize, position: i32): void {
  draw(ERASE, 2 * position, words);
  if (load<u32>(words) >= load<u32>(ERASE_THRESHOLD)) return;
  const shape = below(load<i32>(ERASE_SHAPE_COUNT), load<u32>(words, 32));
  const entry = <usize>load<u32>(ERASE_SHAPES) + (<usize>shape << 1);
  const height: i32 = load<u8>(entry);
  const width: i32 = load<u8>(entry, 1);
  draw(ERASE, 2 * position + 1, words);
  const top = below(SIDE - height + 1, load<u32>(words));
  const left = below(SIDE - width + 1, load<u32>(words, 32));
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

function addNoise(row: usize, words: usize, table: usize, position: i32): void {
  for (let i = 0; i < QUARTER; i += 8) {
    threefry(load<i32>(SEED), NOISE, position * QUARTER + i, load<i32>(EPOCH), words);
    const end = words + (<usize>min(QUARTER - i, 8) << 2);
    for (let word = words; word < end; word += 4, row += 4) {
      addTwo(row, table, load<u32>(word));
      addTwo(row + 2, table, load<u32>(word, 32));
    }
  }
}

/** Augments the image at `row`, at `position` of its epoch; `copy` is 28 · 96 bytes of the thread's scratch memory. */
export function augment(row: usize, copy: usize, position: i32): void {
  if (load<i32>(FLIP) != 0 || load<i32>(SHIFT) != 0) flipAndShift(row, copy, position);
  if (load<i32>(ERASE_THRESHOLD) != 0) erase(row, copy, position);
  const noise: usize = load<u32>(NOISE_TABLE);
  if (noise != 0) addNoise(row, copy, noise, position);
}
