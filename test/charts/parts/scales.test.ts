import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  horizontalValueScale,
  linearScale,
  percentScale,
  type Scale,
  tickCount,
  valueScale,
  wholeScale,
} from '../../../src/charts/parts/scales.ts';

/** Room for five ticks. */
const RANGE = [160, 0] as const;
const values = ({ ticks }: Scale) => ticks.map(({ value }) => value);
const domainOf = (shown: readonly number[], fromZero = false, name: 'linear' | 'log' = 'linear') =>
  valueScale(shown, { name, fromZero }, RANGE).domain;

test('ticks are 70 pixels apart on a horizontal axis and 32 on a vertical one, at least', () => {
  assert.deepEqual(
    [139, 140, 60].map((to) => tickCount('x', 0, to)),
    [1, 2, 1],
  );
  assert.deepEqual(
    [95, 96].map((from) => tickCount('y', from, 0)),
    [2, 3],
  );
  assert.equal(tickCount('y', 200, 136), 2);
});

test('a linear scale reaches from round value to round value, and a constant is in its middle', () => {
  assert.deepEqual(domainOf([3.1, 5.9]), [3, 6]);
  assert.deepEqual(domainOf([4]), [2, 6]);
  assert.deepEqual(domainOf([-4]), [-6, -2]);
  assert.deepEqual(domainOf([0]), [0, 1]);
  assert.deepEqual(domainOf([]), [0, 1]);
  const scale = valueScale([4], { name: 'linear' }, RANGE);
  assert.deepEqual([scale(2), scale(4), scale(6)], [160, 80, 0]);
  assert.deepEqual(values(scale), [2, 3, 4, 5, 6]);
});

test('a linear scale may begin at 0', () => {
  assert.deepEqual(domainOf([3.1, 6], true), [0, 6]);
  assert.deepEqual(domainOf([4], true), [0, 8]);
  assert.deepEqual(domainOf([0], true), [0, 1]);
  assert.deepEqual(domainOf([-2, 4], true), [-2, 4]);
});

test('a logarithmic scale has a twentieth of its height beyond its values, or a factor of 2', () => {
  const [low, high] = domainOf([1, 10 ** 20, 100], false, 'log');
  assert.ok(Math.abs(Math.log10(low) + 1) < 1e-12 && Math.abs(Math.log10(high) - 21) < 1e-12);
  assert.deepEqual(domainOf([4], false, 'log'), [2, 8]);
  assert.deepEqual(domainOf([], false, 'log'), [0.1, 1]);
  const scale = valueScale([4], { name: 'log' }, RANGE);
  assert.deepEqual([scale(2), scale(4), scale(8)].map(Math.round), [160, 80, 0]);
  assert.deepEqual(values(scale), [2, 3, 4, 5, 6, 7, 8]);
});

test('a horizontal scale of values has the ticks of its width', () => {
  const linear = horizontalValueScale([0, 4], 'linear', [10, 150]);
  assert.deepEqual([values(linear), linear(0), linear(4)], [[0, 2, 4], 10, 150]);
  const log = horizontalValueScale([4], 'log', [0, 70]);
  assert.deepEqual([values(log), log.domain], [[5], [2, 8]]);
});

test('a scale of whole numbers ends with them, and one alone is in the middle', () => {
  const scale = wholeScale([1, 5], [0, 400]);
  assert.deepEqual([values(scale), scale.domain, scale(2)], [[1, 2, 3, 4, 5], [1, 5], 100]);
  const single = wholeScale([3, 3], [0, 400]);
  assert.deepEqual([values(single), single.domain, single(3)], [[3], [2, 4], 200]);
});

test('a scale of percent has at most ten ticks or so', () => {
  assert.deepEqual(values(percentScale('x', [0, 70_000])), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  const scale = percentScale('y', RANGE);
  assert.deepEqual([values(scale), scale.domain, scale(25)], [[0, 20, 40, 60, 80, 100], [0, 100], 120]);
});

test('a linear scale interpolates between its ends and beyond', () => {
  const scale = linearScale([2, 6], [10, 30], []);
  assert.deepEqual([scale(2), scale(3), scale(6), scale(8)], [10, 15, 30, 40]);
});
