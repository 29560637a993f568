/**
 * Random numbers as a pure function of (seed, purpose, epoch, index), without generator state.
 * Threefry-2x32-20: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 * It uses 32-bit additions, rotations and exclusive-ors only, so every language computes the same bits.
 */

/** Numbers for different purposes are independent. Never renumber the purposes: results depend on them. */
export const PURPOSE = {
  initialize: 0,
  validationSplit: 1,
  shuffle: 2,
  coordinateSample: 3,
  dropout: 4,
  flipAndShift: 5,
  erase: 6,
  noise: 7,
  search: 8,
  mixingFraction: 9,
  mixingPartners: 10,
} as const;
export type Purpose = (typeof PURPOSE)[keyof typeof PURPOSE];

/** Prevents an all-zero key schedule for an all-zero key (Skein 1.3). */
const KEY_PARITY = 0x1bd11bda;

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

/**
 * Word 0 or 1 of Threefry-2x32 with 20 rounds, as an unsigned 32-bit number. One word per call, because returning both
 * would allocate or need shared scratch memory.
 */
export function threefry2x32(
  word: 0 | 1,
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
): number {
  let k0 = key0 | 0;
  let k1 = key1 | 0;
  let k2 = k0 ^ k1 ^ KEY_PARITY;
  let x0 = (counter0 + k0) | 0;
  let x1 = (counter1 + k1) | 0;
  for (let group = 1; group <= 5; group++) {
    const odd = (group & 1) === 1;
    x0 = (x0 + x1) | 0;
    x1 = rotateLeft(x1, odd ? 13 : 17) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = rotateLeft(x1, odd ? 15 : 29) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = rotateLeft(x1, odd ? 26 : 16) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = rotateLeft(x1, odd ? 6 : 24) ^ x0;
    const k = k0;
    k0 = k1;
    k1 = k2;
    k2 = k;
    x0 = (x0 + k0) | 0;
    x1 = (x1 + k1 + group) | 0;
  }
  return (word === 0 ? x0 : x1) >>> 0;
}

/** 32 random bits, 0 … 2³²−1. `seed`, `epoch` and `index` are taken as unsigned 32-bit numbers. */
export function randomBits(seed: number, purpose: Purpose, epoch: number, index: number): number {
  return threefry2x32(0, seed, purpose, index, epoch);
}

/** Uniform in [0, 1), a multiple of 2⁻³². */
export function randomUniform(seed: number, purpose: Purpose, epoch: number, index: number): number {
  return randomBits(seed, purpose, epoch, index) * 2 ** -32;
}

/** A whole number in [0, bound); no value is more than bound / 2³² more likely than another. */
export function randomBelow(
  bound: number,
  seed: number,
  purpose: Purpose,
  epoch: number,
  index: number,
): number {
  return Math.floor(randomUniform(seed, purpose, epoch, index) * bound);
}
