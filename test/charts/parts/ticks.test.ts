import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  linearTicks,
  logTicks,
  shortNumber,
  type Tick,
  wholeTicks,
} from '../../../src/charts/parts/ticks.ts';

const labels = (ticks: readonly Tick[]) => ticks.map(({ label }) => label);
const values = (ticks: readonly Tick[]) => ticks.map(({ value }) => value);

test('a logarithmic axis has 1, 2 and 5 times powers of ten, if as many are wanted', () => {
  const fine = [1, 2, 5, 10, 20, 50, 100];
  assert.deepEqual(values(logTicks([1, 100], 8)), fine);
  assert.deepEqual(values(logTicks([1, 100], 7)), fine);
  assert.deepEqual(values(logTicks([1, 100], 6)), [1, 10, 100]);
  assert.deepEqual(values(logTicks([2, 10], 5)), [2, 5, 10]);
});

test('a logarithmic axis has about as many powers of ten as are wanted, and two at least', () => {
  assert.deepEqual(labels(logTicks([1, 1e6], 7)), ['1', '10', '100', '1,000', '10,000', '100,000', '1e6']);
  assert.deepEqual(values(logTicks([1, 1e6], 4)), [1, 100, 1e4, 1e6]);
  for (const count of [0, 1, 2]) assert.deepEqual(values(logTicks([1, 1e6], count)), [1, 1e4]);
  assert.deepEqual(values(logTicks([5, 500], 2)), [10, 100]);
});

test('a logarithmic axis with one power of ten has its ends, and with few ticks it has round values', () => {
  assert.deepEqual(values(logTicks([2, 50], 3)), [2, 50]);
  assert.deepEqual(values(logTicks([1.5, 3.5], 5)), [1.5, 2, 2.5, 3, 3.5]);
  assert.deepEqual(values(logTicks([1.5, 5], 4)), [2, 3, 4, 5]);
});

test('the labels of a linear axis tell its ticks apart', () => {
  assert.deepEqual(labels(linearTicks([0, 1], 2)), ['0.0', '0.5', '1.0']);
  assert.deepEqual(labels(linearTicks([0, 2000], 2)), ['0', '1,000', '2,000']);
  assert.deepEqual(labels(linearTicks([0, 0.001], 2)), ['0.0000', '0.0005', '0.0010']);
  assert.deepEqual(labels(linearTicks([0, 0.0009], 2)), ['0', '5e−4']);
  assert.deepEqual(labels(linearTicks([-1e6, 0], 2)), ['−1e6', '−500,000', '0']);
  assert.deepEqual(labels(linearTicks([0, 900_000], 2)), ['0', '500,000']);
  assert.deepEqual(values(linearTicks([0, 1], 0)), values(linearTicks([0, 1], 1)));
});

test('an axis of whole numbers has its first number, then round ones', () => {
  assert.deepEqual(labels(wholeTicks([7, 7], 5)), ['7']);
  assert.deepEqual(labels(wholeTicks([1, 3], 10)), ['1', '2', '3']);
  assert.deepEqual(labels(wholeTicks([1, 10], 5)), ['1', '2', '4', '6', '8', '10']);
  assert.deepEqual(labels(wholeTicks([1, 2000], 2)), ['1', '1,000', '2,000']);
  assert.deepEqual(values(wholeTicks([1, 10], 0)), values(wholeTicks([1, 10], 1)));
});

test('a short number has three digits, or four from 100 on and with an exponent, if it is very small or large', () => {
  for (const [value, text] of [
    [0, '0'],
    [0.001, '0.001'],
    [0.0009, '9e−4'],
    [-0.00012344, '−1.234e−4'],
    [12.346, '12.3'],
    [99.94, '99.9'],
    [100.04, '100'],
    [100.06, '100.1'],
    [1234.6, '1,235'],
    [999_900, '999,900'],
    [1e6, '1e6'],
    [-1.5e7, '−1.5e7'],
  ] as const)
    assert.equal(shortNumber(value), text);
});
