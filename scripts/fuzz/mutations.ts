/** Mutations of files, determined by the name of the input. */
import { hash } from 'node:crypto';

export interface Random {
  /** A whole number from 0 to n − 1. */
  below(n: number): number;
}

/** mulberry32, seeded by the SHA-256 of a name. */
export function createRandom(name: string): Random {
  let state = hash('sha256', name, 'buffer').readUInt32LE();
  return {
    below(n) {
      state = (state + 0x6d2b79f5) | 0;
      let bits = Math.imul(state ^ (state >>> 15), state | 1);
      bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
      return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * n);
    },
  };
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!;
}

type Mutation = (bytes: Buffer, random: Random, files: readonly Uint8Array[]) => Uint8Array;

const MOST_MUTATIONS = 4;
const MOST_INSERTED = 32;
/** Bytes in which most formats have their headers. */
const HEAD_BYTES = 256;
const TAIL_BYTES = 64;
const INTEGERS = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fff_ffffn,
  0xffff_ffffn,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
];
const NUMERALS = [
  '-1',
  '0',
  '65536',
  '4294967295',
  '4294967296',
  '9007199254740993',
  '1e999',
  '-1e-999',
  '9'.repeat(400),
];

/** A position; the start and the end of the file are twice as likely as the rest. */
function place({ length }: Uint8Array, random: Random): number {
  const where = random.below(4);
  if (where === 0) return random.below(Math.min(HEAD_BYTES, length + 1));
  if (where === 1) return Math.max(0, length - random.below(TAIL_BYTES));
  return random.below(length + 1);
}

function range(bytes: Uint8Array, random: Random): [number, number] {
  const from = place(bytes, random);
  return [from, from + 1 + random.below(random.below(2) === 0 ? MOST_INSERTED : bytes.length + 1)];
}

const join = (...parts: readonly Uint8Array[]) => Buffer.concat(parts);

const MUTATIONS: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const at = place(bytes, random);
    if (at < bytes.length) bytes[at]! ^= 1 << random.below(8);
    return bytes;
  },
  function setByte(bytes, random) {
    const at = place(bytes, random);
    if (at < bytes.length) bytes[at] = random.below(256);
    return bytes;
  },
  function insert(bytes, random) {
    const at = place(bytes, random);
    const inserted = Uint8Array.from({ length: 1 + random.below(MOST_INSERTED) }, () => random.below(256));
    return join(bytes.subarray(0, at), inserted, bytes.subarray(at));
  },
  function remove(bytes, random) {
    const [from, to] = range(bytes, random);
    return join(bytes.subarray(0, from), bytes.subarray(to));
  },
  function repeat(bytes, random) {
    const [from, to] = range(bytes, random);
    return join(bytes.subarray(0, to), bytes.subarray(from));
  },
  function cutOff(bytes, random) {
    return bytes.subarray(0, place(bytes, random));
  },
  function splice(bytes, random, files) {
    const other = pick(random, files);
    return join(bytes.subarray(0, place(bytes, random)), other.subarray(place(other, random)));
  },
  function extremeInteger(bytes, random) {
    const width = pick(random, [1, 2, 4, 8]);
    const at = place(bytes, random);
    if (at + width > bytes.length) return bytes;
    const field = Buffer.alloc(8);
    field.writeBigUInt64LE(BigInt.asUintN(8 * width, pick(random, INTEGERS)));
    const little = field.subarray(0, width);
    bytes.set(random.below(2) === 0 ? little : little.toReversed(), at);
    return bytes;
  },
  function extremeNumeral(bytes, random) {
    const isDigit = (at: number) => bytes[at]! >= 0x30 && bytes[at]! <= 0x39;
    let from = place(bytes, random);
    while (from < bytes.length && !isDigit(from)) from++;
    let to = from;
    while (to < bytes.length && isDigit(to)) to++;
    return join(bytes.subarray(0, from), Buffer.from(pick(random, NUMERALS)), bytes.subarray(to));
  },
];

/** One of the files with one change or, every second time, up to four. */
export function mutate(files: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes: Uint8Array = pick(random, files);
  for (let left = 1 + random.below(2) * random.below(MOST_MUTATIONS); left > 0; left--) {
    bytes = pick(random, MUTATIONS)(Buffer.from(bytes), random, files);
  }
  // In a separate buffer, like a file; a pooled buffer would hide a missing offset.
  return Uint8Array.from(bytes);
}
