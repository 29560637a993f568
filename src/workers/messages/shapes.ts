/** Messages and tasks that cross a thread boundary, in both directions. */
import type { MessagePort } from 'node:worker_threads';
import type { UploadedFile } from '../../datasets/upload/arrays/match-roles.ts';
import type { ImageFile } from '../../datasets/upload/arrays/prediction-file.ts';
import type { DatasetReport } from '../../domain/datasets/report.ts';
import type { DatasetSummary } from '../../domain/datasets/representation.ts';
import type { DatasetFields } from '../../domain/datasets/upload-form.ts';
import type { FinishedEpoch, Progress } from '../../domain/jobs/epoch-record.ts';
import type { GradientCheckSummary } from '../../domain/jobs/training.ts';
import type { WeightsQuery } from '../../domain/models/weights.ts';
import type { Diagnosis } from '../../domain/predictions/diagnosis.ts';
import type { ExplainedImage } from '../../domain/predictions/explanation.ts';
import type { ErrorCode, ErrorDetail } from '../../errors.ts';
import type { Raster } from '../../formats/drawing/raster.ts';
import type { ExportFormat, OnnxInput } from '../../formats/models/export-formats.ts';
import type { ImportedModel, ImportHints } from '../../formats/models/import.ts';
import type { PublishedModel } from '../../formats/models/metadata.ts';
import type { PixelScale } from '../../images/batch.ts';
import type { ReceivedImages } from '../../images/decode.ts';
import type { GradientCheckPlan, GradientCheckReport } from '../../numerics/checks/gradient.ts';
import type { ImageStatistics } from '../../numerics/diagnosis/image-statistics.ts';
import type { ConfusionCell } from '../../numerics/evaluation/classification-report.ts';
import type { Activation } from '../../numerics/network/activations.ts';
import type { Initialization } from '../../numerics/network/initialize.ts';
import type { LayerSizes, Parameters, Standardization } from '../../numerics/network/layers.ts';
import type { SgdPathPlan } from '../../numerics/sgd-path/cost.ts';
import type { PathPoint, PlanePath } from '../../numerics/sgd-path/projection.ts';
import type { KernelHandle } from '../../numerics/simd/kernel-engine.ts';
import type { Examples } from '../../numerics/training/engine.ts';
import type { TrainingResult } from '../../numerics/training/loop-events.ts';
import type { TrainingPlan } from '../../numerics/training/plan.ts';
import type { Outputs, ServedModel } from '../../protocols/codec.ts';
import type { PredictionOptions } from '../../protocols/native/schema.ts';
import type { PredictionTally } from '../../protocols/prediction-tally.ts';
import type { DecodedRequest, PredictRequest } from '../../protocols/protocol-map.ts';

/** Start data of each step thread of a training thread. */
export interface StepThreadData {
  /** Receives the handle of the kernel of each training. */
  readonly kernels: MessagePort;
  /** 1 … threads − 1; the engine's own thread is rank 0. */
  readonly rank: number;
}

/** Start data of a training thread. Pixels and labels are in shared memory. */
export interface TrainingTask {
  readonly plan: TrainingPlan;
  readonly threads: number;
  /** Whether a gradient check must pass before the training starts. */
  readonly checkGradient: boolean;
  /** Time after which the training ends normally, with a model. */
  readonly budgetSeconds: number | null;
  readonly checkpointEverySeconds: number;
  /** Epoch at whose end the thread stops with a checkpoint, unless the training ends there; null for none. */
  readonly stopAfterEpoch: number | null;
  /** Bytes of the checkpoint from which the training resumes. */
  readonly checkpoint: Uint8Array | null;
  readonly train: Examples;
  /** null if the job never measures the test split. */
  readonly test: Examples | null;
  /** Whether only the result is measured on the test split, instead of every epoch. */
  readonly testOnce: boolean;
  /** Shared cells, indexed by CONTROL. */
  readonly control: Int32Array;
}

/** Indices of the shared cells through which main thread and training thread communicate without messages. */
export const CONTROL = {
  /** Any value but 0 stops the thread before its next step. */
  stop: 0,
  /** Incremented before each event of the loop. */
  heartbeat: 1,
  /** 1 from posting a checkpoint until it is stored, so that checkpoints do not pile up on a slow disk. */
  checkpointPending: 2,
} as const;

/** An encoded checkpoint. */
export interface CheckpointBytes {
  readonly step: number;
  readonly epoch: number;
  /** At the end of an epoch, the loss that selects the best epoch; otherwise null. */
  readonly loss: number | null;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Reports of a training thread. */
export type WorkerReport =
  | { readonly kind: 'gradient-check'; readonly report: GradientCheckSummary }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | {
      readonly kind: 'epochs';
      readonly epochs: readonly FinishedEpoch[];
      /** At the end of the last of them. */
      readonly progress: Progress;
    }
  | ({ readonly kind: 'checkpoint' } & CheckpointBytes);

/** Any number of reports, then one final message, then the thread exits. */
export type WorkerMessage =
  | WorkerReport
  | {
      readonly kind: 'completed';
      readonly result: TrainingResult & { readonly fused: boolean };
      readonly step: number;
    }
  | {
      readonly kind: 'stopped';
      readonly step: number;
      /** Whether it stopped after `stopAfterEpoch`, and not on request. */
      readonly isPlanned: boolean;
      /** Checkpoint of the last step; null without steps, or if the thread had to be terminated. */
      readonly checkpoint: CheckpointBytes | null;
    }
  | { readonly kind: 'failed'; readonly error: SerializedError; readonly step: number };

/** Lets the step threads join the kernel of a training. */
export interface ShareMessage {
  readonly kind: 'share';
  readonly share: KernelHandle;
}

/**
 * Sends a message of a training run to the main thread, or a share to the step threads.
 * @param transfer buffers that are moved to the receiver instead of copied
 */
export type PostToMain = (message: WorkerMessage | ShareMessage, transfer: readonly ArrayBuffer[]) => void;

/** An error as plain data, because a structured clone would lose its class and code. */
export interface SerializedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: readonly ErrorDetail[];
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: SerializedError };

export type GradientCheckTask = Omit<GradientCheckPlan, 'parameters'> & {
  /** null for a fresh network: the thread initializes it from the seed, which can take seconds. */
  readonly parameters: Parameters | null;
  readonly initialization: Initialization;
  /** The report alone, or the report and one of the two gradients. */
  readonly output: 'report' | 'analytic' | 'numeric';
};

export type GradientCheckResult = Omit<GradientCheckReport, 'positions' | 'analytic' | 'numeric'> & {
  readonly kernel: { readonly name: string; readonly maxRelativeDifference: number };
  readonly durationMs: number;
  /** The requested gradient; null with output `report`. */
  readonly npy: Uint8Array | null;
};

/** A version as threads need it; the parameters are in shared memory. */
export interface ServedNetwork extends ServedModel {
  readonly layerSizes: LayerSizes;
  readonly activation: Activation;
  readonly standardization: Standardization | null;
  readonly parameters: Float32Array;
}

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

/** Explains the prediction for a single image. */
export interface ExplanationTask {
  readonly network: ServedNetwork;
  readonly images: ReceivedImages;
  /** Class to explain; null for the predicted class. */
  readonly label: number | null;
  /** Statistics of the training images to compare with; null without `?diagnose`. */
  readonly diagnosing: ImageStatistics | null;
}

/** A chart to be rasterized; its size in pixels, each of which becomes density² pixels. */
export interface PlotTask {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
  readonly density: number;
}

export interface ExplanationResult {
  readonly explained: ExplainedImage;
  readonly drawing: Raster;
  readonly diagnosis: Diagnosis | null;
}

/** The caller has checked that the layer and the unit exist. */
export interface WeightsTask extends WeightsQuery {
  readonly network: ServedNetwork;
}

/** The parameters are in shared memory. */
export interface ExportTask {
  readonly model: PublishedModel;
  readonly format: ExportFormat;
  readonly input: OnnxInput;
  /** The new file to write. */
  readonly path: string;
}

export interface ImportTask {
  readonly bytes: Uint8Array;
  readonly hints: ImportHints;
}

export interface ImportResult extends ImportedModel {
  readonly activation: Activation;
}

/** The examples are a training split in shared memory. */
export interface ImageStatisticsTask {
  readonly examples: Examples;
  readonly classes: number;
}

/** The training to repeat, and the options of its path. The examples are in shared memory. */
export interface SgdPathTask extends SgdPathPlan {
  readonly margin: number;
}

export interface SgdPathResult extends PlanePath {
  readonly points: readonly (PathPoint & { readonly step: number; readonly epoch: number })[];
  /** Digest of the parameters that the repeated training ended with. */
  readonly digest: string;
  readonly examples: number;
}

/** A training of which a few steps are timed. The examples are in shared memory. */
export interface TrainingTimesTask {
  readonly plan: TrainingPlan;
  readonly train: Examples;
  /** Images of a timed step; at most those of the plan. */
  readonly batchSize: number;
}

/** Microseconds per image, in one thread. */
export interface TrainingTimes {
  /** A step: forward pass, gradient and update. */
  readonly training: number;
  readonly evaluation: number;
}

/** Measures an upload without reading its images. */
export interface DatasetMeasureTask {
  readonly files: readonly UploadedFile[];
  readonly fields: Omit<DatasetFields, 'name'>;
  readonly maxBytes: number;
}

/** Checks uploaded files and writes them as one data set. */
export interface DatasetCheckTask extends DatasetMeasureTask {
  /** Limit of an encoded image. */
  readonly maxPixels: number;
  /** Path of the tensor file to write. */
  readonly target: string;
}

export type CheckedDataset = Pick<
  DatasetSummary,
  'id' | 'classNames' | 'splits' | 'digest' | 'preprocessing'
> & {
  readonly report: DatasetReport;
};

/** Loads the tensors of a data set into shared memory. */
export interface DatasetLoadTask {
  readonly path: string;
  readonly dataset: DatasetSummary;
}

/** Limit of the images that a prediction job computes at once, which limits its memory. */
export const MAX_CHUNK_IMAGES = 1000;

/** Predicts all images of a job. */
export interface PredictionTask {
  readonly network: ServedNetwork;
  readonly input:
    | {
        /** In shared memory. */
        readonly examples: Examples;
        /** The new file for their labels. */
        readonly labelsTarget: string;
      }
    | {
        /** A checked array of images. */
        readonly path: string;
        readonly scale: PixelScale;
      };
  /** The new file for the probabilities. */
  readonly target: string;
  /** A shared cell with the number of images predicted so far. */
  readonly progress: Int32Array;
}

/** Writes the result of a prediction job as CSV. The names are paths. */
export interface PredictionsTableTask {
  readonly images: number;
  readonly probabilities: string;
  readonly labels: string | null;
  readonly classNames: readonly string[];
  /** Whether each line holds the probabilities of all classes. */
  readonly hasAllClasses: boolean;
  /** The new file to write. */
  readonly target: string;
}

/** Checks an uploaded file of images to predict. */
export interface ImageFileTask {
  readonly file: ImageFile;
  readonly maxBytes: number;
  /** The new file for an array that must be decompressed. */
  readonly target: string;
}

export interface PredictTask {
  readonly network: ServedNetwork;
  readonly request: PredictRequest | DecodedRequest;
}

/** Predicts images that arrived while earlier ones of the same body were predicted. */
export interface BlockTask {
  readonly network: ServedNetwork;
  /** n × 784 bytes in all; an image may lie in several chunks. */
  readonly chunks: readonly Uint8Array[];
}

export interface BlockResult {
  readonly outputs: Outputs;
  readonly tally: PredictionTally;
  readonly computeMs: number;
}

/** Writes the JSON of predictions. */
export interface JsonTask {
  readonly model: ServedModel;
  readonly outputs: Outputs;
  readonly options: PredictionOptions;
}

export interface WrittenResponse {
  readonly body: Uint8Array;
  readonly serialiseMs: number;
}

/** Duration of each phase of a prediction; `wait` is the time until a thread starts the task. */
export interface PhaseMs {
  readonly wait: number;
  readonly decode: number;
  readonly compute: number;
  readonly serialise: number;
}

export interface PredictResult {
  readonly body: Uint8Array;
  readonly jsonBytes: number | null;
  readonly images: number;
  readonly tally: PredictionTally;
  readonly ms: Omit<PhaseMs, 'wait'>;
}
