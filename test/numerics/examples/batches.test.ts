import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  batchViews,
  countTrainingExamples,
  examplesPerClass,
  heldOutPerClass,
  holdOut,
  shuffle,
  shuffleEpoch,
  splitByClass,
  stepsPerEpoch,
} from '../../../src/numerics/examples/batches.ts';
import { PURPOSE, randomUniform } from '../../../src/numerics/random.ts';
import { firstIndices } from '../fixtures.ts';

const labelsOf = fc.uint8Array({ max: 4, minLength: 1, maxLength: 200 });
const fractionOf = fc.double({ min: 0, max: 0.999, noNaN: true });
const seedOf = fc.integer({ min: 0, max: 0xffffffff });

function countByClass(labels: Uint8Array, indices: Uint32Array): number[] {
  const counts = [0, 0, 0, 0, 0];
  for (const n of indices) counts[labels[n]!]!++;
  return counts;
}

test('a split holds out its fraction of each class', () => {
  const labels = Uint8Array.from({ length: 500 }, (_, n) => (n < 300 ? 0 : n < 480 ? 1 : 2));
  const { train, validation } = splitByClass(labels, 0.2, 5);
  assert.deepEqual(countByClass(labels, train), [240, 144, 16, 0, 0]);
  assert.deepEqual(countByClass(labels, validation), [60, 36, 4, 0, 0]);
});

test('a split puts every example on one side, ascending, and leaves no class without training', () => {
  fc.assert(
    fc.property(labelsOf, fractionOf, seedOf, (labels, fraction, seed) => {
      const { train, validation } = splitByClass(labels, fraction, seed);
      assert.deepEqual(
        [...train, ...validation].sort((a, b) => a - b),
        [...labels.keys()],
      );
      assert.deepEqual(train, train.slice().sort());
      assert.deepEqual(validation, validation.slice().sort());
      assert.deepEqual(new Set(train.values().map((n) => labels[n])), new Set(labels));
      assert.equal(countTrainingExamples(labels, { fraction }), train.length);
    }),
  );
});

test('the validation split depends on the seed alone', () => {
  const labels = Uint8Array.from({ length: 200 }, (_, n) => n % 3);
  assert.deepEqual(splitByClass(labels, 0.1, 5), splitByClass(labels, 0.1, 5));
  assert.notDeepEqual(splitByClass(labels, 0.1, 5).validation, splitByClass(labels, 0.1, 6).validation);
});

test('without a fraction all examples are training examples', () => {
  const labels = Uint8Array.from([0, 1, 1, 0]);
  const { train, validation } = splitByClass(labels, null, 0);
  assert.deepEqual([...train], [0, 1, 2, 3]);
  assert.equal(validation.length, 0);
  assert.equal(countTrainingExamples(labels, null), 4);
});

test('rejects a fraction outside [0, 1)', () => {
  for (const fraction of [-0.1, 1, Number.NaN]) {
    assert.throws(() => splitByClass(Uint8Array.of(0, 0), fraction, 0), RangeError);
  }
});

test('an epoch visits every training example once', () => {
  fc.assert(
    fc.property(fc.uint32Array({ maxLength: 300 }), seedOf, fc.nat(10_000), (train, seed, epoch) => {
      const order = new Uint32Array(train.length);
      shuffleEpoch(order, train, seed, epoch);
      assert.deepEqual(order.slice().sort(), train.slice().sort());
    }),
  );
});

test('an order depends on seed and epoch, not on earlier content of the buffer', () => {
  const train = firstIndices(100);
  const order = (seed: number, epoch: number, buffer = new Uint32Array(100)) => {
    shuffleEpoch(buffer, train, seed, epoch);
    return buffer;
  };
  assert.deepEqual(order(1, 2), order(1, 2, order(9, 9)));
  assert.notDeepEqual(order(1, 2), order(1, 3));
  assert.notDeepEqual(order(1, 2), order(2, 2));
});

test('every position of an order is equally likely for every example', () => {
  const counts = new Array<number>(16).fill(0);
  const order = new Uint32Array(4);
  for (let epoch = 0; epoch < 4000; epoch++) {
    shuffleEpoch(order, firstIndices(4), 1, epoch);
    for (const [place, n] of order.entries()) counts[place * 4 + n]!++;
  }
  const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  assert.ok(chiSquare < 30, `χ² is ${chiSquare}`);
});

test('rejects an order of the wrong length', () => {
  assert.throws(() => shuffleEpoch(new Uint32Array(3), firstIndices(4), 0, 1), /room for 3 indices, not 4/);
});

test('batches cover the order, the last one short', () => {
  const order = Uint32Array.of(9, 8, 7, 6, 5);
  assert.deepEqual(
    batchViews(order, 2).map((batch) => [...batch]),
    [[9, 8], [7, 6], [5]],
  );
  assert.equal(batchViews(order, 5).length, 1);
  assert.equal(stepsPerEpoch(54_000, 64), 844);
});

test('batches follow a reshuffled order', () => {
  const order = new Uint32Array(6);
  const batches = batchViews(order, 4);
  shuffleEpoch(order, firstIndices(6), 1, 1);
  assert.deepEqual(
    batches.flatMap((batch) => [...batch]),
    [...order],
  );
});

test('the number held out of each class is rounded, and at least one example stays for training', () => {
  // 10, 7, 1 and 0 examples of the classes 0, 1, 255 and 2.
  const labels = Uint8Array.of(...new Array<number>(10).fill(0), ...new Array<number>(7).fill(1), 255);
  const counts = (fraction: number) => {
    const held = heldOutPerClass(labels, { fraction });
    assert.equal(held.length, 256);
    return [held[0], held[1], held[2], held[255]];
  };
  assert.deepEqual(counts(0.25), [3, 2, 0, 0]);
  assert.deepEqual(counts(0.2), [2, 1, 0, 0]);
  assert.deepEqual(counts(0.99), [9, 6, 0, 0]);
  assert.deepEqual(counts(0), [0, 0, 0, 0]);
  assert.equal(countTrainingExamples(labels, { fraction: 0.25 }), 18 - 5);
});

test('the examples of each class are counted', () => {
  const counts = examplesPerClass(Uint8Array.of(3, 0, 3, 255, 3));
  assert.deepEqual([counts[0], counts[1], counts[3], counts[255]], [1, 0, 3, 1]);
});

test('the last examples are held out as they are, and nothing without a holdout', () => {
  const labels = Uint8Array.of(3, 0, 3, 255, 3);
  const indices = (...values: number[]) => Uint32Array.from(values);
  const held = { train: indices(0, 1, 2), validation: indices(3, 4) };
  for (const seed of [0, 1]) assert.deepEqual(holdOut(labels, { last: 2 }, seed), held);
  assert.deepEqual(holdOut(labels, null, 0), { train: indices(0, 1, 2, 3, 4), validation: indices() });
  const perClass = heldOutPerClass(labels, { last: 2 });
  assert.deepEqual([perClass[0], perClass[3], perClass[255]], [0, 1, 1]);
  assert.deepEqual([countTrainingExamples(labels, { last: 2 }), countTrainingExamples(labels, null)], [3, 5]);
});

test('the class with the highest number is split like the others', () => {
  const { train, validation } = splitByClass(new Uint8Array(4).fill(255), 0.5, 1);
  assert.deepEqual([train.length, validation.length], [2, 2]);
});

test('a shuffle exchanges each position from the end with one that its random number chooses', () => {
  for (const start of [0, 7]) {
    const items = Uint32Array.of(10, 11, 12, 13, 14);
    shuffle(items, 3, PURPOSE.shuffle, 2, start);
    const expected = [10, 11, 12, 13, 14];
    for (const last of [4, 3, 2, 1]) {
      const chosen = Math.floor(randomUniform(3, PURPOSE.shuffle, 2, start + last) * (last + 1));
      const moved = expected[chosen]!;
      expected[chosen] = expected[last]!;
      expected[last] = moved;
    }
    assert.deepEqual([...items], expected);
  }
});

test('the order of an epoch uses the random numbers of the epoch from the first one on', () => {
  const [order, expected] = [new Uint32Array(5), firstIndices(5)];
  shuffleEpoch(order, firstIndices(5), 3, 2);
  shuffle(expected, 3, PURPOSE.shuffle, 2, 0);
  assert.deepEqual(order, expected);
});
