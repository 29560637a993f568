/** Thread entry: all computations for requests except predictions and data sets. */
import { computeImageStatistics, type ImageStatistics } from '../../numerics/diagnosis/image-statistics.ts';
import type { ImageShape } from '../../numerics/network/image-shape.ts';
import type { Examples } from '../../numerics/training/engine.ts';
import { checkKernel } from '../kernel/compile.ts';
import { lowerPriority } from '../threads/priority.ts';
import { serve } from '../threads/serve.ts';
import type { CalibrationTask } from './calibrate.ts';
import { drawLayer, drawPlot } from './draw.ts';
import {
  averageProbabilities,
  compareNetworks,
  compareOnHeldOut,
  evaluateNetwork,
  measureNetworkCoverage,
  rankExamples,
} from './evaluate.ts';
import type { ExplanationTask } from './explain.ts';
import type { ExportTask } from './export.ts';
import { runGradientCheck } from './gradient-check.ts';
import type { ImportTask } from './import.ts';
import { predictImages } from './predict-images.ts';
import { writePredictionsTable } from './predictions-table.ts';
import type { SgdPathTask } from './sgd-path.ts';
import { timeTraining } from './time-training.ts';

interface MeasurementTask {
  readonly examples: Examples;
  readonly shape: ImageShape;
  readonly classes: number;
}

/** Modules that load schemas are imported by the first task that needs them: few threads do, and they take 0.1 s. */
const tasks = {
  checkGradient: runGradientCheck,
  evaluate: evaluateNetwork,
  rank: rankExamples,
  measureCoverage: measureNetworkCoverage,
  compare: compareNetworks,
  compareHeldOut: compareOnHeldOut,
  averageTeachers: averageProbabilities,
  calibrate: async (task: CalibrationTask) => (await import('./calibrate.ts')).calibrateNetwork(task),
  explain: async (task: ExplanationTask) => (await import('./explain.ts')).explainImage(task),
  drawLayer,
  drawPlot,
  exportFile: async (task: ExportTask) => (await import('./export.ts')).exportVerified(task),
  importFile: async (task: ImportTask) => (await import('./import.ts')).importChecked(task),
  sgdPath: async (task: SgdPathTask) => (await import('./sgd-path.ts')).computeSgdPath(task),
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
