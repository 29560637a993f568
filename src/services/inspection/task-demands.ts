/** Demands of numeric tasks, known before they run: computing time and memory. */

import { comparisonCost, gradientCheckCost } from '../../numerics/checks/cost.ts';
import { patchCount } from '../../numerics/explanation/occlusion.ts';
import {
  type Architecture,
  architectureText,
  hiddenUnits,
  parameterCount,
} from '../../numerics/network/architecture.ts';
import { coordinateCount } from '../../numerics/network/coordinates.ts';
import { valueCount } from '../../numerics/network/image-shape.ts';
import { planeSeconds, retrainingSeconds, sgdPathBytes } from '../../numerics/sgd-path/cost.ts';
import { forwardBytes } from '../../numerics/simd/kernel-forward.ts';
import { kernelCost } from '../../numerics/simd/layers-layout.ts';
import { gradientCheckBytes, THREAD_BYTES, trainingBytes } from '../../numerics/training/memory.ts';
import { outlierCost } from '../../protocols/compute-outputs.ts';
import { calibrationLimits } from '../../workers/tasks/calibrate.ts';
import { MAX_CHUNK_IMAGES } from '../../workers/tasks/chunk.ts';
import type { NumericTasks } from '../../workers/tasks/numeric.worker.ts';
import type { Task } from '../../workers/threads/start.ts';
import type { Purpose } from '../memory/ledger.ts';
import { gradientCheckPurpose } from '../memory/limits.ts';

export interface Demand extends Purpose {
  /** In multiply-adds of the float64 reference; about 10⁹ a second. */
  readonly cost: number;
  readonly bytes: number;
}

/** Measured: the kernel's speed as a multiple of the reference's. */
const KERNEL_SPEED = 10;
/** Speed of the reference. */
const MULTIPLY_ADDS_PER_SECOND = 1e9;
/** Multiply-adds per pixel that take as long as the image statistics. */
const STATISTICS_COST = 20;
/** Multiply-adds of the reference that take as long as writing a number as text. */
const TABLE_COST = 200;
/** Multiply-adds of the reference that take as long as a coordinate of a neighbour, or as long as 50 components of a value. */
const NEIGHBOUR_COST = 20;
const COMPONENTS_COST = 150;
/** Multiply-adds of the reference that take as long as sorting a score in two orders, and its bytes as it is sorted and tempered. */
const SORTING_COST = 200;
const SCORE_BYTES = 16;
/** Bytes of a value of a calibration image or hidden unit, and of the coordinates and scores of an image. */
const CALIBRATION_VALUE_BYTES = 8;
const CALIBRATION_BYTES = 1000;
/** Bytes of the vectors, and of their Gram matrix, from which the components are found. */
const COMPONENTS_BYTES = 2 ** 24;
/** Bytes of a value of an image as float64, as float32 and as byte, with some for the outputs of the image. */
const CHUNK_VALUE_BYTES = 15;
/** Measured bytes per parameter while a file is written and verified. */
const EXPORT_BYTES = { json: 110, onnx: 32, other: 16 };
/** Measured bytes per byte of a file that is read. */
const IMPORT_FACTOR = 4;

/** Measured: multiply-adds of the reference that take as long as initializing a parameter and comparing it with the kernel's. */
const PARAMETER_COST = 200;
/** The array of a submitted gradient, and up to six vectors of float64 with which it is compared, for each parameter. */
const COMPARISON_BYTES = 56;

/** Measured bytes per pixel while a chart is rasterized and encoded. */
const RASTER_BYTES = 9;

const networkText = (architecture: Architecture) => `a ${architectureText(architecture)} network`;

function evaluation(
  networks: readonly { architecture: Architecture }[],
  images: number,
): Omit<Demand, 'what'> {
  const perImage = networks.reduce((sum, { architecture }) => sum + kernelCost(architecture), 0);
  const memory = networks.reduce((sum, { architecture }) => sum + forwardBytes(architecture), 0);
  return { cost: (images * perImage) / KERNEL_SPEED, bytes: THREAD_BYTES + memory + 64 * images };
}

export const DEMANDS: {
  readonly [Name in keyof NumericTasks]: (task: Task<NumericTasks, Name>) => Demand;
} = {
  checkGradient: ({ architecture, indices, scheme, coordinates, submitted }) => {
    const parameters = parameterCount(architecture);
    const checked = coordinateCount(coordinates, architecture);
    const compared = submitted === null ? 0 : comparisonCost(architecture, indices.length);
    const computed = gradientCheckCost(architecture, indices.length, scheme, checked) + compared;
    const file = submitted === null ? 0 : submitted.length + COMPARISON_BYTES * parameters;
    return {
      ...gradientCheckPurpose(architecture),
      cost: computed + PARAMETER_COST * parameters,
      bytes: gradientCheckBytes(architecture, indices.length) + file,
    };
  },
  evaluate: ({ network, examples }) => ({
    what: `Evaluating ${networkText(network.architecture)}`,
    ...evaluation([network], examples.labels.length),
  }),
  rank: ({ network, examples }) => {
    const scores = examples.labels.length * network.architecture.classes;
    const { cost, bytes } = evaluation([network], examples.labels.length);
    return {
      what: `Evaluating ${networkText(network.architecture)}`,
      cost: cost + SORTING_COST * scores,
      bytes: bytes + SCORE_BYTES * scores,
    };
  },
  measureCoverage: ({ network, examples, calibration }) => {
    const { length } = examples.labels;
    const { cost, bytes } = evaluation([network], length);
    return {
      what: `Measuring the coverage of ${networkText(network.architecture)}`,
      cost: cost + (length * outlierCost(calibration)) / KERNEL_SPEED,
      bytes:
        bytes +
        SCORE_BYTES * length * network.architecture.classes +
        MAX_CHUNK_IMAGES * CHUNK_VALUE_BYTES * hiddenUnits(network.architecture),
    };
  },
  compare: ({ network, other, examples }) => ({
    what: `Comparing ${networkText(network.architecture)} with ${networkText(other.architecture)}`,
    ...evaluation([network, other], examples.labels.length),
  }),
  compareHeldOut: ({ network, other, examples }) => ({
    what: `Comparing ${networkText(network.architecture)} with the champion`,
    ...evaluation([network, other], examples.labels.length),
  }),
  averageTeachers: ({ teachers, examples }) => {
    const { cost, bytes } = evaluation(teachers, examples.labels.length);
    const classes = teachers[0]!.architecture.classes;
    const parameters = teachers.reduce((sum, { architecture }) => sum + parameterCount(architecture), 0);
    return {
      what: `Predicting with ${teachers.length} teachers`,
      cost,
      bytes: bytes + 4 * (parameters + classes * examples.labels.length),
    };
  },
  calibrate: ({ network, train, source }) => {
    const limits = calibrationLimits(network);
    const { labels } = source !== 'train' && 'labels' in source ? source : train;
    const training = Math.min(limits.training, train.labels.length);
    const calibration = Math.min(limits.calibration, labels.length);
    const { cost, bytes } = evaluation([network], training + calibration);
    const values = valueCount(network.architecture.inputShape) + hiddenUnits(network.architecture);
    return {
      what: `Calibrating ${networkText(network.architecture)}`,
      cost:
        cost + COMPONENTS_COST * (training + calibration) * values + NEIGHBOUR_COST * calibration * training,
      bytes:
        bytes +
        COMPONENTS_BYTES +
        (training + calibration) * (CALIBRATION_VALUE_BYTES * values + CALIBRATION_BYTES),
    };
  },
  explain: ({ network }) => {
    const images = patchCount(network.architecture.inputShape) + 1;
    const { cost, bytes } = evaluation([network], images);
    const gradient = 8 * parameterCount(network.architecture);
    const pixels = 4 * images * valueCount(network.architecture.inputShape);
    return {
      what: `Explaining ${networkText(network.architecture)}`,
      cost,
      bytes: bytes + gradient + pixels,
    };
  },
  drawLayer: ({ network }) => ({
    what: `Drawing ${networkText(network.architecture)}`,
    cost: 0,
    bytes: THREAD_BYTES + 4 * parameterCount(network.architecture),
  }),
  drawPlot: ({ width, height, density }) => {
    const pixels = width * height * density ** 2;
    return {
      what: `Drawing a PNG of ${pixels.toLocaleString('en')} pixels`,
      cost: 0,
      bytes: THREAD_BYTES + RASTER_BYTES * pixels,
    };
  },
  exportFile: ({ model, format }) => {
    const perParameter = format === 'json' || format === 'onnx' ? EXPORT_BYTES[format] : EXPORT_BYTES.other;
    const parameters = parameterCount(model.architecture);
    return {
      what: `Exporting ${networkText(model.architecture)}`,
      cost: perParameter * parameters,
      bytes: THREAD_BYTES + perParameter * parameters,
    };
  },
  importFile: ({ bytes }) => ({
    what: `Importing a file of ${bytes.length.toLocaleString('en')} bytes`,
    cost: IMPORT_FACTOR * bytes.length,
    bytes: THREAD_BYTES + IMPORT_FACTOR * bytes.length,
  }),
  predictImages: ({ network, input }) => ({
    what: `Predicting with ${networkText(network.architecture)}`,
    ...evaluation([network], 'examples' in input ? input.examples.labels.length : 0),
    bytes:
      THREAD_BYTES +
      forwardBytes(network.architecture) +
      MAX_CHUNK_IMAGES * valueCount(network.architecture.inputShape) * CHUNK_VALUE_BYTES,
  }),
  writePredictionsTable: ({ images, classNames, hasAllClasses }) => ({
    what: `Writing ${images.toLocaleString('en')} predictions`,
    cost: TABLE_COST * images * (hasAllClasses ? classNames.length : 1),
    bytes: THREAD_BYTES + images,
  }),
  timeTraining: ({ plan, train, threads }) => ({
    what: `Timing ${networkText(plan.architecture)}`,
    cost: 0,
    bytes: trainingBytes(plan.architecture, plan, train.labels.length, { threads }),
  }),
  sgdPath: (task) => ({
    what: `The path of ${networkText(task.plan.architecture)}`,
    advice: 'Request fewer snapshots.',
    details: [{ parameter: 'snapshots', detail: 'requires too much memory' }],
    cost: (retrainingSeconds(task) + planeSeconds(task)) * MULTIPLY_ADDS_PER_SECOND,
    bytes: sgdPathBytes(task),
  }),
  measureImages: ({ examples }) => ({
    what: 'Measuring the training images',
    cost: STATISTICS_COST * examples.pixels.length,
    bytes: THREAD_BYTES,
  }),
};
