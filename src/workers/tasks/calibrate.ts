/** Calibrations of versions, on images that the network was not trained on. */

import { AtelierError } from '../../errors.ts';
import { calibrationBytes } from '../../formats/arrays/calibration.ts';
import {
  type CalibrationFigures,
  fitCalibration,
  MAX_CALIBRATION_IMAGES,
  MAX_TRAINING_IMAGES,
  MIN_CALIBRATION_IMAGES,
} from '../../numerics/calibration/fit.ts';
import { selectLabels } from '../../numerics/examples/labels.ts';
import { hiddenUnits } from '../../numerics/network/architecture.ts';
import { valueCount } from '../../numerics/network/image-shape.ts';
import type { Examples } from '../../numerics/training/engine.ts';
import { createForward, type ServedNetwork } from '../kernel/compile.ts';
import { MAX_CHUNK_IMAGES } from './chunk.ts';
import { findHeldOut, type ValidationSplit } from './evaluate.ts';

/** The examples are in shared memory. */
export interface CalibrationTask {
  readonly network: ServedNetwork;
  /** The training images that images are compared with, with the images that validation splits hold out. */
  readonly train: Examples;
  /**
   * The calibration images: those that all these splits of `train` hold out, the examples of another split or data set, or every
   * second image of `train`.
   */
  readonly source: readonly ValidationSplit[] | Examples | 'train';
}

interface CalibrationResult {
  readonly file: Uint8Array;
  readonly figures: CalibrationFigures;
  /** Class of all calibration images; null if they have several. */
  readonly onlyClass: string | null;
}

/** Limit of the float32 values of the images that are compared. */
const MAX_VALUES = 2 ** 25;

/** Largest numbers of images, which are smaller for large images and wide hidden layers. */
export function calibrationLimits({ architecture }: Pick<ServedNetwork, 'architecture'>) {
  const widest = Math.max(valueCount(architecture.inputShape) / 4, hiddenUnits(architecture));
  const affordable = Math.floor(MAX_VALUES / widest);
  return {
    calibration: Math.min(MAX_CALIBRATION_IMAGES, affordable),
    training: Math.min(MAX_TRAINING_IMAGES, affordable),
  };
}

/** @throws AtelierError `impossible-request` if there are too few images, or the network overflows for one of them */
export function calibrateNetwork(task: CalibrationTask): CalibrationResult {
  const { network, train } = task;
  const { architecture } = network;
  const { calibration, training, examples } = chooseImages(task);
  if (calibration.length < MIN_CALIBRATION_IMAGES) {
    const halved = task.source === 'train' ? `, every second one of ${train.labels.length}` : '';
    const detail = `has too few images (${calibration.length}${halved}; at least ${MIN_CALIBRATION_IMAGES} are needed)`;
    throw impossible(`The split ${detail}. Choose a split or a data set with more images.`, detail);
  }
  const limits = calibrationLimits(network);
  const observed = observe(network, examples, thinOut(calibration, limits.calibration));
  if (!observed.logits.every(Number.isFinite)) {
    const { name, version } = network.reference;
    throw impossible(
      `The logits of ${name} version ${version} overflow for some of the images, so it cannot be calibrated. Use another version.`,
      'has images for which the logits overflow',
    );
  }
  const compared = observe(network, train, thinOut(training, limits.training));
  const { figures, ...fitted } = fitCalibration(
    compared,
    observed,
    observed.probabilities,
    observed.labels,
    valueCount(architecture.inputShape),
    architecture.classes,
  );
  const labels = new Set(observed.labels);
  const onlyClass = labels.size === 1 ? network.classNames[observed.labels[0]!]! : null;
  return { file: calibrationBytes(fitted.calibration), figures, onlyClass };
}

const impossible = (message: string, detail: string) =>
  new AtelierError('impossible-request', message, { details: [{ pointer: '#/split', detail }] });

function chooseImages({ train, source }: CalibrationTask) {
  const all = Uint32Array.from(train.labels.keys());
  if (source === 'train') {
    return {
      training: all.filter((n) => n % 2 === 0),
      calibration: all.filter((n) => n % 2),
      examples: train,
    };
  }
  if ('labels' in source) {
    return { training: all, calibration: Uint32Array.from(source.labels.keys()), examples: source };
  }
  const held = new Set(findHeldOut(train.labels, source));
  return {
    training: all.filter((n) => !held.has(n)),
    calibration: all.filter((n) => held.has(n)),
    examples: train,
  };
}

/** Evenly spaced ones of the indices, at most `limit`. */
function thinOut(indices: Uint32Array, limit: number): Uint32Array {
  const count = Math.min(indices.length, limit);
  return Uint32Array.from({ length: count }, (_, i) => indices[Math.floor((i * indices.length) / count)]!);
}

/** The images of the given indices, and what the network computes of them. */
function observe(network: ServedNetwork, { pixels, labels }: Examples, indices: Uint32Array) {
  const forward = createForward(network);
  const { architecture } = network;
  const { inputShape } = architecture;
  const [inputs, units, { classes }] = [valueCount(inputShape), hiddenUnits(architecture), architecture];
  const count = indices.length;
  const observed = {
    pixels: new Uint8Array(count * inputs),
    labels: selectLabels(labels, indices),
    logits: new Float32Array(count * classes),
    probabilities: new Float32Array(count * classes),
    hidden: new Float32Array(count * units),
  };
  for (const [n, index] of indices.entries())
    observed.pixels.set(pixels.subarray(index * inputs, (index + 1) * inputs), n * inputs);
  for (let start = 0; start < count; start += MAX_CHUNK_IMAGES) {
    const end = Math.min(start + MAX_CHUNK_IMAGES, count);
    forward(
      observed.logits.subarray(start * classes, end * classes),
      observed.probabilities.subarray(start * classes, end * classes),
      observed.pixels.subarray(start * inputs, end * inputs),
      observed.hidden.subarray(start * units, end * units),
    );
  }
  return observed;
}
