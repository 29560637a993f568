/** Training and validation split, and the order of the examples within an epoch. */

import { PURPOSE, type Purpose, randomBelow } from '../random.ts';
import type { Labels } from './labels.ts';

/** Indices into the examples, ascending. */
export interface Split {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
}

const CLASS_LIMIT = 256;

/** Number of examples of a class to hold out: rounded, but at least one example stays for training. */
function heldOutCount(examples: number, fraction: number): number {
  return Math.max(0, Math.min(Math.round(fraction * examples), examples - 1));
}

function examplesPerClass(labels: Labels): Uint32Array {
  const counts = new Uint32Array(CLASS_LIMIT);
  for (const label of labels) counts[label]!++;
  return counts;
}

/** Number of examples of each class that are held out; with `fraction` null, the number of all. */
export function heldOutPerClass(labels: Labels, fraction: number | null): Uint32Array {
  const counts = examplesPerClass(labels);
  return fraction === null ? counts : counts.map((count) => heldOutCount(count, fraction));
}

/** Number of training examples if `fraction` of each class (0 ≤ fraction < 1; null for none) is held out. */
export function countTrainingExamples(labels: Labels, fraction: number | null): number {
  let heldCount = 0;
  for (const count of examplesPerClass(labels)) heldCount += heldOutCount(count, fraction ?? 0);
  return labels.length - heldCount;
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
