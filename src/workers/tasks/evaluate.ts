/** Evaluations and comparisons of models, computed by the kernel. */

import type { ConfusionCell } from '../../numerics/evaluation/classification-report.ts';
import {
  type ClassificationReport,
  classificationReport,
} from '../../numerics/evaluation/classification-report.ts';
import { type Comparison, comparePredictions } from '../../numerics/evaluation/comparison.ts';
import { collectPredictions } from '../../numerics/evaluation/predictions.ts';
import { splitByClass } from '../../numerics/examples/batches.ts';
import { averageTeachers } from '../../numerics/examples/distillation.ts';
import { valueCount } from '../../numerics/network/image-shape.ts';
import type { Examples } from '../../numerics/training/engine.ts';
import type { ServedNetwork } from '../kernel/compile.ts';
import { createForward } from '../kernel/compile.ts';

/** The examples are in shared memory. Their pixels and classes must match the network. */
export interface EvaluationTask {
  readonly network: ServedNetwork;
  readonly examples: Examples;
  /** Cell of the confusion matrix whose images are listed. */
  readonly cell?: ConfusionCell | null;
}

/** Teachers whose probabilities are averaged. The examples are in shared memory. */
export interface TeachersTask {
  readonly teachers: readonly ServedNetwork[];
  readonly examples: Examples;
}

export interface ComparisonTask extends EvaluationTask {
  readonly other: ServedNetwork;
}

/** The validation split of a training. */
export interface ValidationSplit {
  readonly seed: number;
  /** null if nothing was held out */
  readonly fraction: number | null;
}

/** Compares on the images that all splits hold out. */
export interface HeldOutComparisonTask extends ComparisonTask {
  readonly splits: readonly ValidationSplit[];
}

/** @throws RangeError if the examples do not match the inputs and classes of the network, or are empty */
export function evaluateNetwork({ network, examples, cell }: EvaluationTask): ClassificationReport {
  return classificationReport(predictExamples(network, examples), network.architecture.classes, cell);
}

/** The mean of the teachers' probabilities of each example. @throws RangeError if the examples do not match the inputs */
export function averageProbabilities({ teachers, examples: { pixels, labels } }: TeachersTask): Float32Array {
  const classes = teachers[0]!.architecture.classes;
  const targets = new Float32Array(new SharedArrayBuffer(4 * labels.length * classes));
  averageTeachers(targets, teachers.map(createForward), pixels, classes);
  return targets;
}

/** @throws RangeError if the examples do not match the inputs and classes of both networks, or are empty */
export function compareNetworks({ network, other, examples }: ComparisonTask): Comparison {
  const [first, second] = [predictExamples(network, examples), predictExamples(other, examples)];
  return comparePredictions(first, second, network.architecture.classes);
}

/** Returns null if no image is held out by all splits. @throws RangeError as `compareNetworks` */
export function compareOnHeldOut({
  splits,
  examples,
  ...networks
}: HeldOutComparisonTask): Comparison | null {
  const { pixels, labels } = examples;
  const common = findHeldOut(labels, splits);
  if (common.length === 0) return null;
  const size = valueCount(networks.network.architecture.inputShape);
  const chosen = new Uint8Array(common.length * size);
  for (const [n, index] of common.entries()) {
    chosen.set(pixels.subarray(index * size, (index + 1) * size), n * size);
  }
  const chosenLabels = Uint8Array.from(common, (index) => labels[index]!);
  return compareNetworks({ ...networks, examples: { pixels: chosen, labels: chosenLabels } });
}

/** Indices of the images that all splits hold out, ascending. */
export function findHeldOut(labels: Uint8Array, splits: readonly ValidationSplit[]): number[] {
  let common = labels.keys().toArray();
  for (const { fraction, seed } of splits) {
    const held = new Set(splitByClass(labels, fraction, seed).validation);
    common = common.filter((index) => held.has(index));
  }
  return common;
}

function predictExamples(network: ServedNetwork, examples: EvaluationTask['examples']) {
  const { architecture } = network;
  return collectPredictions(createForward(network), examples, architecture);
}
