/** Evaluations and comparisons of models, computed by the kernel. */

import {
  type ClassificationReport,
  classificationReport,
} from '../../numerics/evaluation/classification-report.ts';
import { type Comparison, comparePredictions } from '../../numerics/evaluation/comparison.ts';
import { collectPredictions } from '../../numerics/evaluation/predictions.ts';
import { splitByClass } from '../../numerics/examples/batches.ts';
import { averageTeachers } from '../../numerics/examples/distillation.ts';
import { createForward } from '../kernel/compile.ts';
import type {
  ComparisonTask,
  EvaluationTask,
  HeldOutComparisonTask,
  ServedNetwork,
  TeachersTask,
} from '../messages/shapes.ts';

/** @throws RangeError if the examples do not match the inputs and classes of the network, or are empty */
export function evaluateNetwork({ network, examples, cell }: EvaluationTask): ClassificationReport {
  return classificationReport(predictExamples(network, examples), network.layerSizes.at(-1)!, cell);
}

/** The mean of the teachers' probabilities of each example. @throws RangeError if the examples do not match the inputs */
export function averageProbabilities({ teachers, examples: { pixels, labels } }: TeachersTask): Float32Array {
  const classes = teachers[0]!.layerSizes.at(-1)!;
  const targets = new Float32Array(new SharedArrayBuffer(4 * labels.length * classes));
  averageTeachers(targets, teachers.map(createForward), pixels, classes);
  return targets;
}

/** @throws RangeError if the examples do not match the inputs and classes of both networks, or are empty */
export function compareNetworks({ network, other, examples }: ComparisonTask): Comparison {
  const [first, second] = [predictExamples(network, examples), predictExamples(other, examples)];
  return comparePredictions(first, second, network.layerSizes.at(-1)!);
}

/** Returns null if no image is held out by all splits. @throws RangeError as `compareNetworks` */
export function compareOnHeldOut({
  splits,
  examples,
  ...networks
}: HeldOutComparisonTask): Comparison | null {
  const { pixels, labels } = examples;
  let common = labels.keys().toArray();
  for (const { fraction, seed } of splits) {
    const held = new Set(splitByClass(labels, fraction, seed).validation);
    common = common.filter((index) => held.has(index));
  }
  if (common.length === 0) return null;
  const size = networks.network.layerSizes[0]!;
  const chosen = new Uint8Array(common.length * size);
  for (const [n, index] of common.entries()) {
    chosen.set(pixels.subarray(index * size, (index + 1) * size), n * size);
  }
  const chosenLabels = Uint8Array.from(common, (index) => labels[index]!);
  return compareNetworks({ ...networks, examples: { pixels: chosen, labels: chosenLabels } });
}

function predictExamples(network: ServedNetwork, examples: EvaluationTask['examples']) {
  const { layerSizes } = network;
  return collectPredictions(createForward(network), examples, layerSizes[0]!, layerSizes.at(-1)!);
}
