/** Tasks of each pool by name: what a thread receives and what it returns. */

import type { Tensors } from '../../datasets/tensor-cache.ts';
import type { CheckedImageFile } from '../../datasets/upload/arrays/prediction-file.ts';
import type { UploadSize } from '../../datasets/upload/open.ts';
import type { PredictionCounts } from '../../domain/predictions/job.ts';
import type { EncodedImage } from '../../images/sent.ts';
import type { ImageStatistics } from '../../numerics/diagnosis/image-statistics.ts';
import type { ClassificationReport } from '../../numerics/evaluation/classification-report.ts';
import type { Comparison } from '../../numerics/evaluation/comparison.ts';
import type { WithEncodedImages } from '../../protocols/codec.ts';
import type * as message from './shapes.ts';

export interface NumericTasks {
  checkGradient: { task: message.GradientCheckTask; result: message.GradientCheckResult };
  evaluate: { task: message.EvaluationTask; result: ClassificationReport };
  compare: { task: message.ComparisonTask; result: Comparison };
  /** null if no image is held out by all splits */
  compareHeldOut: { task: message.HeldOutComparisonTask; result: Comparison | null };
  /** Examples × classes, in shared memory. */
  averageTeachers: { task: message.TeachersTask; result: Float32Array };
  explain: { task: message.ExplanationTask; result: message.ExplanationResult };
  /** PNG, encoded in the thread: the drawing of a large layer takes 50 MB. */
  drawLayer: { task: message.WeightsTask; result: Uint8Array };
  /** PNG of a chart. */
  drawPlot: { task: message.PlotTask; result: Uint8Array };
  exportFile: { task: message.ExportTask; result: undefined };
  importFile: { task: message.ImportTask; result: message.ImportResult };
  /** Predicts in chunks. The signal of the pool ends it within one. */
  predictImages: { task: message.PredictionTask; result: PredictionCounts };
  writePredictionsTable: { task: message.PredictionsTableTask; result: undefined };
  timeTraining: { task: message.TrainingTimesTask; result: message.TrainingTimes };
  sgdPath: { task: message.SgdPathTask; result: message.SgdPathResult };
  measureImages: { task: message.ImageStatisticsTask; result: ImageStatistics };
}

export interface DatasetTasks {
  measureUpload: { task: message.DatasetMeasureTask; result: UploadSize };
  checkDataset: { task: message.DatasetCheckTask; result: message.CheckedDataset };
  checkImageFile: { task: message.ImageFileTask; result: CheckedImageFile };
  loadDataset: { task: message.DatasetLoadTask; result: Tensors };
}

export interface PredictTasks {
  /** Encoded images in the body are returned, because the main thread decodes them. */
  predict: { task: message.PredictTask; result: message.PredictResult | WithEncodedImages<unknown> };
  predictBlock: { task: message.BlockTask; result: message.BlockResult };
  writeJson: { task: message.JsonTask; result: message.WrittenResponse };
  /** Reads a JSON body with encoded images, which are decoded later. */
  readEncoded: { task: { readonly bytes: Uint8Array }; result: readonly EncodedImage[] };
}

/** Constraint of type parameters that stand for one of the interfaces above. */
export type TaskMap<Tasks> = Readonly<Record<keyof Tasks, { task: unknown; result: unknown }>>;

/** Functions that a thread entry exports: one per task, with the name of the task. */
export type Handlers<Tasks extends TaskMap<Tasks>> = {
  readonly [Name in keyof Tasks]: (
    task: Tasks[Name]['task'],
  ) => Promise<message.Outcome<Tasks[Name]['result']>>;
};
