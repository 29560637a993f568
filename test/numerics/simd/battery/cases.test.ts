import assert from 'node:assert/strict';
import { test } from 'node:test';
import { architectureText } from '../../../../src/numerics/network/architecture.ts';
import {
  type BatteryCase,
  batteryCase,
  CASE_COUNT,
  typicalCase,
} from '../../../../src/numerics/simd/battery/cases.ts';

const cases = Array.from({ length: CASE_COUNT }, (_, n) => batteryCase(n));
const count = (has: (settings: BatteryCase['settings'], each: BatteryCase) => unknown) =>
  cases.filter((each) => has(each.settings, each)).length;

test('cases have networks of many shapes, and those from 119 on begin with convolutions', () => {
  const describe = (n: number) => {
    const { architecture, batchSize } = cases[n]!.settings;
    return [architectureText(architecture), architecture.norm, batchSize];
  };
  assert.deepEqual([0, 1, 10, 118, 119, 120, 123].map(describe), [
    ['97-3-10', 'none', 7],
    ['64-8-3', 'none', 10],
    ['780-55-61-30-7', 'none', 1],
    ['32-101-86-95-14', 'none', 16],
    ['6×5-(12 36)-(24)-37-40-4', 'group', 9],
    ['26×30-(16)-3', 'none', 7],
    ['12×13-(33)-(18)-37-40-4', 'none', 20],
  ]);
});

test('each option of a training is part of many cases', () => {
  const counts = {
    augmented: count(({ augmentation }) => augmentation.horizontalFlip),
    averaged: count(({ ema }) => ema),
    clipped: count(({ clipNorm }) => clipNorm),
    distilled: count(({ distillation }) => distillation),
    dropped: count(({ dropout }) => dropout),
    mixed: count(({ mixup }) => mixup),
    normalized: count(({ architecture }) => architecture.norm === 'group'),
    penalized: count(({ l2 }) => l2),
    smoothed: count(({ labelSmoothing }) => labelSmoothing),
    standardized: count(({ standardization }) => standardization),
    ofTwoThreads: count((_, { threads }) => threads === 2),
  };
  assert.deepEqual(counts, {
    augmented: 13,
    averaged: 69,
    clipped: 37,
    distilled: 64,
    dropped: 49,
    mixed: 64,
    normalized: 12,
    penalized: 99,
    smoothed: 25,
    standardized: 97,
    ofTwoThreads: 74,
  });
});

test('images have half of their pixels, all, few, every other or none above 0', () => {
  const fractions = [0, 4, 8, 12, 16].map((n) => {
    const { pixels } = cases[n]!.examples;
    return pixels.filter((x) => x > 0).length / pixels.length;
  });
  for (const [i, expected] of [0.5, 1, 1 / 16, 0.5, 0].entries())
    assert.ok(Math.abs(fractions[i]! - expected) <= 0.05, `${fractions[i]}`);
  assert.ok(cases[4]!.examples.pixels.every((x) => x > 0));
  assert.ok(cases[12]!.examples.pixels.every((x, i) => i % 2 === 0 || x === 0));
  assert.deepEqual([...cases[1]!.examples.labels], [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
});

test('weights are spread between both signs of the scale of their case, and an eighth is −0', () => {
  for (const [n, scale] of [
    [0, 0.2],
    [8, 0.05],
    [16, 1],
    [24, 2 ** -140],
  ] as const) {
    const { parameters } = cases[n]!;
    const [low, high] = [Math.min(...parameters) / scale, Math.max(...parameters) / scale];
    assert.ok(low >= -1 && low < -0.9 && high <= 1 && high > 0.9, `${n}: ${low} to ${high}`);
    const zeros = parameters.filter((x) => Object.is(x, -0)).length / parameters.length;
    assert.ok(Math.abs(zeros - 1 / 8) < 0.05, `${n}: ${zeros}`);
  }
});

test('teachers have a target of at most 1/10 for each class of each example', () => {
  const { settings, examples } = cases[69]!;
  const { weight, targets } = settings.distillation!;
  assert.deepEqual([weight, examples.labels.length, targets.length], [0.4, 134, 134 * 14]);
  assert.ok(
    Math.max(...targets) > 0.09 && Math.max(...targets) <= Math.fround(0.1) && Math.min(...targets) >= 0,
  );
});

test('the typical case is the default network with a batch of 64 images', () => {
  const { settings, examples, threads } = typicalCase();
  assert.deepEqual(
    [architectureText(settings.architecture), settings.batchSize, threads],
    ['784-40-10', 64, 1],
  );
  assert.equal(examples.pixels.length, 67 * 784);
});
