import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Architecture, blocks, parameterCount } from '../../../src/numerics/network/architecture.ts';
import { chooseCoordinates, multiIndex, sampledCounts } from '../../../src/numerics/network/coordinates.ts';
import { dense } from '../../support/dense.ts';

/** A network with 2 × `classes` parameters. */
const small = (classes: number) => dense([1, classes]);
const convolutional: Architecture = {
  inputShape: [6, 6],
  convolutions: [[4], [8]],
  norm: 'group',
  hidden: [5],
  classes: 3,
};

test('a sample is ascending, without repetition, within the vector, and has the requested size', () => {
  const architectures = [convolutional, ...Array.from({ length: 40 }, (_, n) => small(n + 1))];
  const sample = fc.integer({ min: 1, max: 600 });
  fc.assert(
    fc.property(fc.constantFrom(...architectures), sample, fc.nat(), (architecture, size, seed) => {
      const count = parameterCount(architecture);
      const chosen = chooseCoordinates({ sample: size }, architecture, seed);
      assert.equal(chosen.length, Math.min(size, count));
      assert.ok(chosen.every((position, i) => position < count && (i === 0 || position > chosen[i - 1]!)));
    }),
  );
});

test('every coordinate is as likely to be sampled as any other', () => {
  const counts = new Array<number>(10).fill(0);
  for (let seed = 0; seed < 3000; seed++) {
    for (const position of chooseCoordinates({ sample: 3 }, small(5), seed)) counts[position]!++;
  }
  for (const count of counts) assert.ok(Math.abs(count - 900) < 5 * Math.sqrt(900), `${counts}`);
});

test('a sample depends on the seed, and an empty sample is rejected', () => {
  const sample = (seed: number) => chooseCoordinates({ sample: 9 }, small(50), seed);
  assert.deepEqual(sample(1), sample(1));
  assert.notDeepEqual(sample(1), sample(2));
  assert.throws(() => chooseCoordinates({ sample: 0 }, small(50), 1), /at least one coordinate, not 0/);
});

test('the blocks of a network with convolutions are sampled equally, small ones completely', () => {
  const found = blocks(convolutional);
  const perBlock = (sample: number) => {
    const chosen = [...chooseCoordinates({ sample }, convolutional, 4)];
    return found.map(({ start, end }) => chosen.filter((c) => c >= start && c < end).length);
  };
  assert.deepEqual(
    found.map(({ name, start, end }) => `${name} ${end - start}`),
    'K1 36,c1 4,gamma1 4,beta1 4,K2 288,c2 8,gamma2 8,beta2 8,W1 40,b1 5,W2 15,b2 3'.split(','),
  );
  assert.deepEqual(perBlock(100), [14, 4, 4, 4, 14, 8, 8, 8, 14, 5, 14, 3]);
  assert.deepEqual(perBlock(100), sampledCounts({ sample: 100 }, convolutional));
  assert.deepEqual(perBlock(12), new Array(12).fill(1));
  assert.deepEqual(perBlock(1000), sampledCounts('all', convolutional));
});

test('the expected counts of a network without convolutions are in proportion to its blocks', () => {
  assert.deepEqual(
    sampledCounts({ sample: 10 }, dense([3, 4, 1])),
    [12, 4, 4, 1].map((n) => n * (10 / 21)),
  );
});

test('the index of a coordinate has one number for each dimension of its block', () => {
  const [K1, c1] = blocks(convolutional);
  const W1 = blocks(dense([3, 2, 4]))[0]!;
  assert.deepEqual(multiIndex(W1, 5), [1, 2]);
  assert.deepEqual(multiIndex(K1!, 2 * 9 + 3 + 1), [2, 0, 1, 1]);
  assert.deepEqual(multiIndex(c1!, c1!.start + 3), [3]);
});
