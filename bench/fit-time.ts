/**
 * Fits the constants of the preview to bench/results/scaling.md and preview.md, and prints them.
 * usage: node bench/fit-time.ts
 * Copy TRAINING and THREADS to src/numerics/training/kernel-time.ts, START to src/services/preview/time-model.ts.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { forwardCost } from '../src/numerics/network/architecture.ts';
import { dense } from '../test/support/dense.ts';

const IMAGES = 60_000;
/** Trainings of preview.md: three epochs, with a tenth of the images held out. */
const TRAINED = 3 * 0.9;

const read = (group: string) => readFileSync(join(import.meta.dirname, 'results', `${group}.md`), 'utf8');

/** Seconds of an epoch by network and batch, in one and in two threads. */
const epochs = new Map(
  [...read('scaling').matchAll(/^\| ([\d-]+), (batch \d+) \| [\d,]+ \| ([\d.]+) \| ([\d.]+) \|/gm)].map(
    ([, network, batch, one, two]) => [
      `${network}, ${batch}`,
      { sizes: network!.split('-').map(Number), seconds: [Number(one), Number(two)] as const },
    ],
  ),
);
const kernels = [...epochs.values()].map(({ sizes, seconds }) => {
  const first = sizes[0]! * sizes[1]!;
  const [one, two] = seconds.map((each) => (each / IMAGES) * 1e6) as [number, number];
  return { first, later: forwardCost(dense(sizes)) - first, one, two };
});

const [constant, perFirstMultiplyAdd, perLaterMultiplyAdd] = fit(
  kernels.map(({ first, later, one }) => [[1, first, later], one]),
);
console.log('TRAINING', { constant, perFirstMultiplyAdd, perLaterMultiplyAdd });

// Amdahl: two = serial + (one − serial) / (1 + gain) = serial · gain / (1 + gain) + one / (1 + gain).
const [offset, slope] = fit(kernels.map(({ one, two }) => [[1, one], two])) as [number, number];
console.log('THREADS', { serial: offset / (1 - slope), gain: 1 / slope - 1 });

// The rest of a training: its start with the gradient check, and evaluations, in proportion to the multiply-adds.
const rests = [
  ...read('preview').matchAll(/^\| ([\d-]+, batch \d+), threads (\d) \| [\d.]+ \| ([\d.]+) \|/gm),
].map(([, name, threads, seconds]) => {
  const epoch = epochs.get(name!)!;
  const rest = Number(seconds) - TRAINED * epoch.seconds[Number(threads) - 1]!;
  return [[1, Number(threads) - 1, forwardCost(dense(epoch.sizes))], rest, Number(seconds)] as const;
});
const [start, perThread] = fit(rests);
console.log('START, with the gradient check', { constant: start, perThread });

/**
 * Coefficients of least squares, by the normal equations.
 * @param rows terms, value, and the scale of its error, by default the value
 */
function fit(rows: readonly (readonly [terms: readonly number[], value: number, scale?: number])[]) {
  const weighted = rows.map(([terms, value, scale = value]) => [...terms, value].map((each) => each / scale));
  const size = rows[0]![0].length;
  const equations = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size + 1 }, (_, j) => weighted.reduce((sum, row) => sum + row[i]! * row[j]!, 0)),
  );
  for (let pivot = 0; pivot < size; pivot++) {
    for (let i = 0; i < size; i++) {
      if (i === pivot) continue;
      const factor = equations[i]![pivot]! / equations[pivot]![pivot]!;
      for (let j = pivot; j <= size; j++) equations[i]![j]! -= factor * equations[pivot]![j]!;
    }
  }
  return equations.map((row, i) => row[size]! / row[i]!);
}
