/**
 * Lists of the non-zero inputs of an example, and of the examples in which an input is not zero.
 * Eight flags form a byte, and a table maps the byte to the positions of its ones, without branches.
 */
import { BLOCK_ROWS, LIST_START_BYTES, TILE_EXAMPLES, TILE_ROWS } from '../constants.ts';
import { BATCH_SIZE, DENSE, PACK16, PACK32, RECORDS, RECORD_STRIDE, ZERO_RECORD } from './addresses.ts';

/** Bytes of one list of examples: room for a tile, and for the eight entries written at a time. */
export const LIST_BYTES: usize = (TILE_EXAMPLES + 8) * 4;

/** PACK16[m] = positions of the ones of m as 8 × u16; PACK32[m] = the same as byte offsets of records, 8 × u32. */
export function makePackTables(): void {
  const pack16: usize = load<u32>(PACK16);
  const pack32: usize = load<u32>(PACK32);
  const stride = load<u32>(RECORD_STRIDE);
  for (let m: usize = 0; m < 256; m++) {
    let k: usize = 0;
    for (let bit: u32 = 0; bit < 8; bit++) {
      if (((m >> bit) & 1) == 0) continue;
      store<u16>(pack16 + (m << 4) + (k << 1), <u16>bit);
      store<u32>(pack32 + (m << 5) + (k << 2), bit * stride);
      k++;
    }
  }
}

/**
 * Lists the positions at which a byte of either row is not zero (all if DENSE is set): starts of tiles, u32; then
 * positions, u16. The list of a single row is that of the row and itself.
 */
export function listBytes(row: usize, other: usize, inputs: i32, list: usize): void {
  const pack: usize = load<u32>(PACK16);
  const dense = load<i32>(DENSE);
  let entry = list + LIST_START_BYTES;
  let starts = list;
  let untilTile = 0;
  let base = i16x8.splat(0);
  for (let j = 0; j < inputs; j += 16) {
    if (untilTile == 0) {
      store<u32>(starts, <u32>((entry - list - LIST_START_BYTES) >> 1));
      starts += 4;
      untilTile = TILE_ROWS;
    }
    untilTile -= 16;
    // Adding 127 with saturation sets the top bit of every byte that is not zero.
    let flags = i8x16.bitmask(i8x16.add_sat_u(v128.or(v128.load(row + j), v128.load(other + j)), i8x16.splat(127))) | dense;
    if (j + 16 > inputs) flags &= (1 << (inputs - j)) - 1;
    const low: usize = flags & 255;
    const high: usize = flags >> 8;
    v128.store(entry, i16x8.add(v128.load(pack + (low << 4)), base));
    entry += <usize>popcnt<u32>(<u32>low) << 1;
    base = i16x8.add(base, i16x8.splat(8));
    v128.store(entry, i16x8.add(v128.load(pack + (high << 4)), base));
    entry += <usize>popcnt<u32>(<u32>high) << 1;
    base = i16x8.add(base, i16x8.splat(8));
  }
  store<u32>(starts, <u32>((entry - list - LIST_START_BYTES) >> 1));
}

/** Lists the non-zeros of a row of float32 as `listBytes` does. */
export function listFloats(row: usize, inputs: i32, list: usize): void {
  const pack: usize = load<u32>(PACK16);
  const dense = load<i32>(DENSE);
  const zero = f32x4.splat(0);
  let entry = list + LIST_START_BYTES;
  let starts = list;
  let untilTile = 0;
  for (let j = 0; j < inputs; j += 8) {
    if (untilTile == 0) {
      store<u32>(starts, <u32>((entry - list - LIST_START_BYTES) >> 1));
      starts += 4;
      untilTile = TILE_ROWS;
    }
    untilTile -= 8;
    const at = row + (<usize>j << 2);
    let flags = i32x4.bitmask(f32x4.ne(v128.load(at), zero));
    flags |= (i32x4.bitmask(f32x4.ne(v128.load(at, 16), zero)) << 4) | (dense & 255);
    if (j + 8 > inputs) flags &= (1 << (inputs - j)) - 1;
    v128.store(entry, i16x8.add(v128.load(pack + (<usize>flags << 4)), i16x8.splat(<i16>j)));
    entry += <usize>popcnt<u32>(<u32>flags) << 1;
  }
  store<u32>(starts, <u32>((entry - list - LIST_START_BYTES) >> 1));
}

/** masks[g][k]: bit r is set if input k < BLOCK_ROWS, from `input` on, of example 8g + r is not 0 or DENSE is set. */
export function maskBytes(masks: usize, input: usize): void {
  const stride: usize = load<u32>(RECORD_STRIDE);
  const dense = load<i32>(DENSE);
  let row: usize = load<u32>(RECORDS) + input;
  for (let left = load<i32>(BATCH_SIZE); left > 0; left -= 8, masks += BLOCK_ROWS) {
    const rows = min(left, 8);
    let low = i8x16.splat(0), high = low, bit = i8x16.splat(1);
    for (let r = 0; r < rows; r++, row += stride) {
      const zero = i8x16.splat(0);
      low = v128.or(low, v128.and(i8x16.ne(v128.load(row), zero), bit));
      high = v128.or(high, v128.and(i8x16.ne(v128.load(row, 16), zero), bit));
      bit = i8x16.add(bit, bit);
    }
    const all: i32 = (1 << rows) - 1;
    if (dense) low = high = i8x16.splat(<i8>all);
    v128.store(masks, low);
    v128.store(masks, high, 16);
  }
}

/** Computes the masks of float32 inputs as `maskBytes` does. */
export function maskFloats(masks: usize, input: usize): void {
  const stride: usize = load<u32>(RECORD_STRIDE);
  const dense = load<i32>(DENSE);
  let rows: usize = load<u32>(RECORDS) + input;
  for (let left = load<i32>(BATCH_SIZE); left > 0; left -= 8, masks += BLOCK_ROWS, rows += stride << 3) {
    const count = min(left, 8);
    for (let part: usize = 0; part < <usize>BLOCK_ROWS; part += 16) {
      let m0 = i32x4.splat(0), m1 = m0, m2 = m0, m3 = m0, bit = i32x4.splat(1);
      let at = rows + (part << 2);
      const zero = f32x4.splat(0);
      for (let r = 0; r < count; r++, at += stride) {
        m0 = v128.or(m0, v128.and(f32x4.ne(v128.load(at), zero), bit));
        m1 = v128.or(m1, v128.and(f32x4.ne(v128.load(at, 16), zero), bit));
        m2 = v128.or(m2, v128.and(f32x4.ne(v128.load(at, 32), zero), bit));
        m3 = v128.or(m3, v128.and(f32x4.ne(v128.load(at, 48), zero), bit));
        bit = i32x4.add(bit, bit);
      }
      if (dense) m0 = m1 = m2 = m3 = i32x4.splat((1 << count) - 1);
      const low = i16x8.narrow_i32x4_u(m0, m1);
      v128.store(masks + part, i8x16.narrow_i16x8_u(low, i16x8.narrow_i32x4_u(m2, m3)));
    }
  }
}

/** Joins the masks of inputs 2k and 2k + 1: masks[g][k], k < BLOCK_ROWS / 2, in place. */
export function joinMasks(masks: usize): void {
  for (let left = load<i32>(BATCH_SIZE); left > 0; left -= 8, masks += BLOCK_ROWS) {
    const low = v128.load(masks), high = v128.load(masks, 16);
    const even = v128.shuffle<u8>(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const odd = v128.shuffle<u8>(low, high, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    v128.store(masks, v128.or(even, odd));
  }
}

/**
 * Converts the masks of `rows` inputs to lists. For each tile of TILE_EXAMPLES: BLOCK_ROWS lists of LIST_BYTES each, then
 * their lengths, u32. Entries are offsets of records, ascending; the record of zeros pads to even length.
 */
export function listExamples(lists: usize, masks: usize, rows: i32): void {
  const pack: usize = load<u32>(PACK32);
  const stride = load<i32>(RECORD_STRIDE);
  const batch = load<i32>(BATCH_SIZE);
  const step = i32x4.splat(8 * stride);
  const nothing = load<u32>(ZERO_RECORD);
  for (let tile = 0; tile < batch; tile += TILE_EXAMPLES) {
    const end = min(tile + TILE_EXAMPLES, batch);
    const lengths = lists + BLOCK_ROWS * LIST_BYTES;
    for (let k = 0; k < rows; k++) {
      const list = lists + <usize>k * LIST_BYTES;
      let entry = list;
      let mask = masks + k;
      let base = i32x4.splat(tile * stride);
      for (let n = tile; n < end; n += 8, mask += BLOCK_ROWS) {
        const flags: usize = load<u8>(mask);
        const from = pack + (flags << 5);
        v128.store(entry, i32x4.add(v128.load(from), base));
        v128.store(entry, i32x4.add(v128.load(from, 16), base), 16);
        entry += <usize>popcnt<u32>(<u32>flags) << 2;
        base = i32x4.add(base, step);
      }
      store<u32>(entry, nothing);
      store<u32>(lengths + (<usize>k << 2), <u32>((entry - list + 4) >> 3) << 1);
    }
    masks += (TILE_EXAMPLES / 8) * BLOCK_ROWS;
    lists += BLOCK_ROWS * LIST_BYTES + BLOCK_ROWS * 4;
  }
}
