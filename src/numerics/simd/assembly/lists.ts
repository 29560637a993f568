/**
 * Lists of the non-zero inputs of an example, and of the examples in which an input is not zero.
 * Eight flags form a byte, and a table maps the byte to the positions of its ones, without branches. Pairs of pixels, or
 * of examples, have masks of 64 flags instead, because their loops leave time to find the next one.
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

/** Flags of sixteen bytes. Adding 127 with saturation sets the top bit of every byte that is not zero. */
@inline function flagsOf(row: usize, other: usize): u64 {
  const either = v128.or(v128.load(row), v128.load(other));
  return i8x16.bitmask(i8x16.add_sat_u(either, i8x16.splat(127)));
}

/**
 * Lists the positions at which a byte of the row is not zero (all if DENSE is set): starts of tiles, u32; then positions,
 * u16.
 */
export function listBytes(row: usize, inputs: i32, list: usize): void {
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
    let flags = <i32>flagsOf(row + j, row + j) | dense;
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

/** masks[k], u64: bit j is set if byte 64k + j of either row is not zero, or DENSE is set. */
export function maskRows(row: usize, other: usize, inputs: i32, masks: usize): void {
  const dense: u64 = load<i32>(DENSE) ? ~0 : 0;
  for (let j = 0; j < inputs; j += 64, row += 64, other += 64, masks += 8) {
    let mask = flagsOf(row, other) | (flagsOf(row + 16, other + 16) << 16) | (flagsOf(row + 32, other + 32) << 32)
      | (flagsOf(row + 48, other + 48) << 48) | dense;
    if (j + 64 > inputs) mask &= (<u64>1 << (inputs - j)) - 1;
    store<u64>(masks, mask);
  }
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

/** Joins lane k of the low vectors of the four groups, then of the high ones, to 64 bits each. */
function joinLanes(masks: usize): void {
  const a = v128.load(masks), b = v128.load(masks, 32), c = v128.load(masks, 64), d = v128.load(masks, 96);
  const e = v128.load(masks, 16), f = v128.load(masks, 48), g = v128.load(masks, 80), h = v128.load(masks, 112);
  storeLanes(masks, a, b, c, d);
  storeLanes(masks + 64, e, f, g, h);
}

@inline function storeLanes(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  let left = v128.shuffle<u16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  let right = v128.shuffle<u16>(c, d, 0, 8, 1, 9, 2, 10, 3, 11);
  v128.store(to, v128.shuffle<u32>(left, right, 0, 4, 1, 5));
  v128.store(to, v128.shuffle<u32>(left, right, 2, 6, 3, 7), 16);
  left = v128.shuffle<u16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  right = v128.shuffle<u16>(c, d, 4, 12, 5, 13, 6, 14, 7, 15);
  v128.store(to, v128.shuffle<u32>(left, right, 0, 4, 1, 5), 32);
  v128.store(to, v128.shuffle<u32>(left, right, 2, 6, 3, 7), 48);
}

/**
 * masks[tile][k], u64: bit n is set if input 2k or 2k + 1, from `input` on, of example n of the tile is not 0 or DENSE is
 * set. A pair is a lane of 16 bits, for 16 examples; the lanes of four such groups are joined at the end.
 */
export function maskPairs(masks: usize, input: usize): void {
  const stride: usize = load<u32>(RECORD_STRIDE);
  const dense = load<i32>(DENSE);
  let row: usize = load<u32>(RECORDS) + input;
  let left = load<i32>(BATCH_SIZE);
  for (; left > 0; masks += BLOCK_ROWS * 4) {
    for (let group: usize = 0; group < 128; group += 32, left -= 16) {
      const rows = max(min(left, 16), 0);
      let low = i16x8.splat(0), high = low, bit = i16x8.splat(1);
      for (let r = 0; r < rows; r++, row += stride) {
        const zero = i16x8.splat(0);
        low = v128.or(low, v128.andnot(bit, i16x8.eq(v128.load(row), zero)));
        high = v128.or(high, v128.andnot(bit, i16x8.eq(v128.load(row, 16), zero)));
        bit = i16x8.add(bit, bit);
      }
      const all: i32 = (1 << rows) - 1;
      if (dense) low = high = i16x8.splat(<i16>all);
      v128.store(masks + group, low);
      v128.store(masks + group, high, 16);
    }
    joinLanes(masks);
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
