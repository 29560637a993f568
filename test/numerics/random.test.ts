import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PURPOSE, randomBelow, randomBits, randomUniform, threefry2x32 } from '../../src/numerics/random.ts';

/** Random123 1.14, tests/kat_vectors: "threefry2x32 20", counter, key, result. */
const KNOWN_ANSWERS = [
  [0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x6b200159, 0x99ba4efe],
  [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7],
  [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xc4923a9c, 0x483df7a0],
] as const;

test('the generator matches the known-answer tests of Random123', () => {
  for (const [counter0, counter1, key0, key1, word0, word1] of KNOWN_ANSWERS) {
    assert.equal(threefry2x32(0, key0, key1, counter0, counter1), word0);
    assert.equal(threefry2x32(1, key0, key1, counter0, counter1), word1);
  }
});

test('key and counter are (seed, purpose) and (index, epoch), as every saved model assumes', () => {
  assert.equal(randomBits(7, PURPOSE.shuffle, 3, 5), threefry2x32(0, 7, 2, 5, 3));
  assert.deepEqual(Object.entries(PURPOSE), [
    ['initialize', 0],
    ['validationSplit', 1],
    ['shuffle', 2],
    ['coordinateSample', 3],
    ['dropout', 4],
    ['flipAndShift', 5],
    ['erase', 6],
    ['noise', 7],
    ['search', 8],
    ['mixingFraction', 9],
    ['mixingPartners', 10],
  ]);
});

test('changing the seed, the purpose, the epoch or the index changes the number', () => {
  const numbers = [
    randomBits(7, PURPOSE.shuffle, 3, 5),
    randomBits(8, PURPOSE.shuffle, 3, 5),
    randomBits(7, PURPOSE.initialize, 3, 5),
    randomBits(7, PURPOSE.shuffle, 4, 5),
    randomBits(7, PURPOSE.shuffle, 3, 6),
  ];
  assert.equal(new Set(numbers).size, numbers.length);
});

test('uniform numbers lie in [0, 1) and spread evenly over it', () => {
  const counts = new Array<number>(16).fill(0);
  for (let i = 0; i < 16_000; i++) {
    const u = randomUniform(1, PURPOSE.shuffle, 0, i);
    assert.ok(u >= 0 && u < 1);
    counts[Math.floor(u * 16)]!++;
  }
  const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  assert.ok(chiSquare < 37.7, `χ² of 15 degrees of freedom is ${chiSquare}, beyond its 99.9th percentile`);
});

test('a number below a bound is a whole number below it, for every bound of 32 bits', () => {
  const uint32 = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xffffffff }), uint32, uint32, (bound, seed, index) => {
      const value = randomBelow(bound, seed, PURPOSE.shuffle, 1, index);
      assert.ok(Number.isInteger(value) && value >= 0 && value < bound);
    }),
  );
});
