/** Thread entry: all computations for requests except predictions and data sets. */
import { computeImageStatistics, type ImageStatistics } from '../../numerics/diagnosis/image-statistics.ts';
import type { ImageShape } from '../../numerics/network/image-shape.ts';
import type { Examples } from '../../numerics/training/engine.ts';
import { checkKernel } from '../kernel/compile.ts';
import { lowerPriority } from '../threads/priority.ts';
import { serve } from '../threads/serve.ts';
import { calibrateNetwork } from './calibrate.ts';
import { drawLayer, drawPlot } from './draw.ts';
import {
  averageProbabilities,
  compareNetworks,
  compareOnHeldOut,
  evaluateNetwork,
  measureNetworkCoverage,
  rankExamples,
} from './evaluate.ts';
import { explainImage } from './explain.ts';
import { exportVerified } from './export.ts';
import { runGradientCheck } from './gradient-check.ts';
import { importChecked } from './import.ts';
import { predictImages } from './predict-images.ts';
import { writePredictionsTable } from './predictions-table.ts';
import { computeSgdPath } from './sgd-path.ts';
import { timeTraining } from './time-training.ts';

interface MeasurementTask {
  readonly examples: Examples;
  readonly shape: ImageShape;
  readonly classes: number;
}

const tasks = {
  checkGradient: runGradientCheck,
  evaluate: evaluateNetwork,
  rank: rankExamples,
  measureCoverage: measureNetworkCoverage,
  compare: compareNetworks,
  compareHeldOut: compareOnHeldOut,
  averageTeachers: averageProbabilities,
  calibrate: calibrateNetwork,
  explain: explainImage,
  drawLayer,
  drawPlot,
  exportFile: exportVerified,
  importFile: importChecked,
  sgdPath: computeSgdPath,
  timeTraining,
  /** The examples are a training split in shared memory. Takes about a second for 60,000 images. */
  measureImages: ({ examples, shape, classes }: MeasurementTask): ImageStatistics =>
    computeImageStatistics(examples, shape, classes),
  predictImages,
  writePredictionsTable,
};
export type NumericTasks = typeof tasks;

lowerPriority();
checkKernel();
serve(tasks, {
  explain: ({ drawing }) => [drawing.rgb],
  importFile: ({ parameters }) => [parameters],
  calibrate: ({ file }) => [file],
});
