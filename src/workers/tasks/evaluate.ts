/** Evaluations and comparisons of models, computed by the kernel. */

import { type CoverageReport, measureCoverage } from '../../numerics/calibration/coverage.ts';
import type { Calibration } from '../../numerics/calibration/fit.ts';
import { findOutliers, scoreOutliers } from '../../numerics/calibration/outliers.ts';
import type { ConfusionCell } from '../../numerics/evaluation/classification-report.ts';
import {
  type ClassificationReport,
  classificationReport,
} from '../../numerics/evaluation/classification-report.ts';
import { type Comparison, comparePredictions } from '../../numerics/evaluation/comparison.ts';
import { collectPredictions } from '../../numerics/evaluation/predictions.ts';
import { type Ranking, rankPredictions } from '../../numerics/evaluation/ranking.ts';
import { type Holdout, holdOut } from '../../numerics/examples/batches.ts';
import { averageTeachers } from '../../numerics/examples/distillation.ts';
import { type Labels, selectLabels } from '../../numerics/examples/labels.ts';
import { hiddenUnits } from '../../numerics/network/architecture.ts';
import { valueCount } from '../../numerics/network/image-shape.ts';
import type { Examples } from '../../numerics/training/engine.ts';
import type { ServedNetwork } from '../kernel/compile.ts';
import { createForward } from '../kernel/compile.ts';
import { MAX_CHUNK_IMAGES } from './chunk.ts';

/** The examples are in shared memory. Their pixels and classes must match the network. */
export interface EvaluationTask {
  readonly network: ServedNetwork;
  readonly examples: Examples;
  /** Cell of the confusion matrix whose images are listed. */
  readonly cell?: ConfusionCell | null;
}

/** The calibration must be that of the network. */
export interface CoverageTask extends Pick<EvaluationTask, 'network' | 'examples'> {
  readonly calibration: Calibration;
}

/** Teachers whose probabilities are averaged. The examples are in shared memory. */
export interface TeachersTask {
  readonly teachers: readonly ServedNetwork[];
  readonly examples: Examples;
}

export interface ComparisonTask extends EvaluationTask {
  readonly other: ServedNetwork;
}

/** The images that a training held out of a data set. It has not seen the validation images after its own either. */
export interface ValidationSplit {
  readonly seed: number;
  readonly holdout: Holdout;
  /** Number of images that the training had, from the first training image on. */
  readonly examples: number;
}

/** Compares on the images that all splits hold out. */
export interface HeldOutComparisonTask extends ComparisonTask {
  readonly splits: readonly ValidationSplit[];
}

/** @throws RangeError if the examples do not match the inputs and classes of the network, or are empty */
export function evaluateNetwork({ network, examples, cell }: EvaluationTask): ClassificationReport {
  return classificationReport(predictExamples(network, examples), network.architecture.classes, cell);
}

/** @throws RangeError if the examples do not match the inputs and classes of the network */
export function rankExamples({
  network: { architecture, ...network },
  examples,
}: Pick<EvaluationTask, 'network' | 'examples'>): Ranking {
  const { classes } = architecture;
  const forward = createForward({ architecture, ...network });
  const probabilities = new Float32Array(examples.labels.length * classes);
  let done = 0;
  const predictions = collectPredictions(
    (logits, chunk, pixels) => {
      forward(logits, chunk, pixels);
      probabilities.set(chunk, done);
      done += chunk.length;
    },
    examples,
    architecture,
  );
  return rankPredictions(predictions, probabilities, classes);
}

export function measureNetworkCoverage({ network, examples, calibration }: CoverageTask): CoverageReport {
  const { architecture } = network;
  const [inputs, units, { classes }] = [
    valueCount(architecture.inputShape),
    hiddenUnits(architecture),
    architecture,
  ];
  const forward = createForward(network);
  const count = examples.labels.length;
  const logits = new Float32Array(count * classes);
  const probabilities = new Float32Array(count * classes);
  const scores: (number | null)[] = [];
  for (let start = 0; start < count; start += MAX_CHUNK_IMAGES) {
    const end = Math.min(start + MAX_CHUNK_IMAGES, count);
    const observed = {
      pixels: examples.pixels.subarray(start * inputs, end * inputs),
      logits: logits.subarray(start * classes, end * classes),
      hidden: new Float32Array((end - start) * units),
    };
    const chunk = probabilities.subarray(start * classes, end * classes);
    forward(observed.logits, chunk, observed.pixels, observed.hidden);
    scores.push(...scoreOutliers(calibration.outliers, observed, inputs, classes));
  }
  const outliersAt = (coverage: number) => findOutliers(calibration.outliers, coverage, scores);
  return measureCoverage(calibration, logits, probabilities, outliersAt, examples.labels);
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
  const chosenLabels = selectLabels(labels, common);
  return compareNetworks({ ...networks, examples: { pixels: chosen, labels: chosenLabels } });
}

/**
 * Indices of the images that no training was given or all held out, ascending.
 * @param labels of the training and the validation images
 */
export function findHeldOut(labels: Labels, splits: readonly ValidationSplit[]): number[] {
  let common = labels.keys().toArray();
  for (const { holdout, seed, examples } of splits) {
    const trained = new Set(holdOut(labels.subarray(0, examples), holdout, seed).train);
    common = common.filter((index) => !trained.has(index));
  }
  return common;
}

function predictExamples(network: ServedNetwork, examples: EvaluationTask['examples']) {
  const { architecture } = network;
  return collectPredictions(createForward(network), examples, architecture);
}
