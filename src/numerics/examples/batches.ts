/** Training and validation split, and the order of the examples within an epoch. */

import { PURPOSE, type Purpose, randomBelow } from '../random.ts';
import type { Labels } from './labels.ts';

/** Indices into the examples, ascending. */
export interface Split {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
}

/** The examples that are held out for validation: a fraction of each class, or the last examples; null for nothing. */
export type Holdout = { readonly fraction: number } | { readonly last: number } | null;

const CLASS_LIMIT = 256;

/** Number of examples of a class to hold out: rounded, but at least one example stays for training. */
function heldOutCount(examples: number, fraction: number): number {
  return Math.max(0, Math.min(Math.round(fraction * examples), examples - 1));
}

export function examplesPerClass(labels: Labels): Uint32Array {
  const counts = new Uint32Array(CLASS_LIMIT);
  for (const label of labels) counts[label]!++;
  return counts;
}

/** Number of examples of each class that are held out. */
export function heldOutPerClass(labels: Labels, holdout: Holdout): Uint32Array {
  if (holdout && 'last' in holdout) return examplesPerClass(labels.subarray(labels.length - holdout.last));
  return examplesPerClass(labels).map((count) => heldOutCount(count, holdout?.fraction ?? 0));
}

/** Number of examples that are not held out. */
export function countTrainingExamples(labels: Labels, holdout: Holdout): number {
  return heldOutPerClass(labels, holdout).reduce((rest, count) => rest - count, labels.length);
}

export function stepsPerEpoch(examples: number, batchSize: number): number {
  return Math.ceil(examples / batchSize);
}

/**
 * Holds out `fraction` of every class for validation, chosen by the seed alone; null holds out nothing.
 * @throws RangeError when the fraction is outside [0, 1).
 */
export function splitByClass(labels: Labels, fraction: number | null, seed: number): Split {
  if (fraction !== null && !(fraction >= 0 && fraction < 1)) {
    throw new RangeError(`The validation fraction must be at least 0 and below 1, not ${fraction}.`);
  }
  const counts = examplesPerClass(labels);
  const isHeld = new Uint8Array(labels.length);
  for (let label = 0; label < CLASS_LIMIT; label++) {
    const heldCount = heldOutCount(counts[label]!, fraction ?? 0);
    if (heldCount === 0) continue;
    const members = new Uint32Array(counts[label]!);
    for (let n = 0, m = 0; n < labels.length; n++) if (labels[n] === label) members[m++] = n;
    shuffle(members, seed, PURPOSE.validationSplit, label);
    for (const n of members.subarray(0, heldCount)) isHeld[n] = 1;
  }
  const all = Uint32Array.from(labels.keys());
  return { train: all.filter((n) => isHeld[n] === 0), validation: all.filter((n) => isHeld[n] === 1) };
}

/** The only decision which examples a training holds out. @throws RangeError as `splitByClass` */
export function holdOut(labels: Labels, holdout: Holdout, seed: number): Split {
  if (holdout === null || 'fraction' in holdout) return splitByClass(labels, holdout?.fraction ?? null, seed);
  const all = Uint32Array.from(labels.keys());
  const first = labels.length - holdout.last;
  return { train: all.slice(0, first), validation: all.slice(first) };
}

/**
 * `order` ← the training indices in the order of the given epoch, a function of (seed, epoch) alone.
 * @throws RangeError when the lengths differ.
 */
export function shuffleEpoch(order: Uint32Array, train: Uint32Array, seed: number, epoch: number): void {
  if (order.length !== train.length) {
    throw new RangeError(`The order has room for ${order.length} indices, not ${train.length}.`);
  }
  order.set(train);
  shuffle(order, seed, PURPOSE.shuffle, epoch);
}

/** Views of `batchSize` indices into `order`; the last one may be shorter. */
export function batchViews(order: Uint32Array, batchSize: number): Uint32Array[] {
  return Array.from({ length: stepsPerEpoch(order.length, batchSize) }, (_, b) =>
    order.subarray(b * batchSize, (b + 1) * batchSize),
  );
}

/** Fisher–Yates (Durstenfeld 1964), from the end; position i uses random number start + i. */
export function shuffle(items: Uint32Array, seed: number, purpose: Purpose, epoch: number, start = 0): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = randomBelow(i + 1, seed, purpose, epoch, start + i);
    const item = items[i]!;
    items[i] = items[j]!;
    items[j] = item;
  }
}
