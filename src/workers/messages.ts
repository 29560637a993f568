/** Everything that crosses a thread boundary, both ways. */

import type { EncodedImages } from '../datasets/decode-images.ts';
import type { EpochRecord, Progress } from '../domain/metrics.ts';
import type { VersionReference } from '../domain/model.ts';
import type { PredictionOptions } from '../domain/prediction.ts';
import type { ErrorCode, ErrorDetail } from '../errors.ts';
import type { Examples } from '../numerics/engine.ts';
import type { GradientCheckPlan, GradientCheckReport } from '../numerics/gradient-check.ts';
import type { Network, Parameters } from '../numerics/network.ts';
import type { TrainingPlan } from '../numerics/training-plan.ts';

/** Given to a training thread when it starts; pixels and labels are in shared memory. */
export interface TrainingTask {
  readonly plan: TrainingPlan;
  readonly train: Examples;
  readonly test: Examples;
  /** One shared cell; anything but 0 asks the thread to stop before its next step. */
  readonly stop: Int32Array;
}

/** What a training thread says: any number of the first two, then one of the rest, then it exits. */
export type TrainingMessage =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'epoch'; readonly record: EpochRecord; readonly progress: Progress }
  | {
      readonly kind: 'completed';
      readonly parameters: Float32Array;
      readonly engine: string;
      readonly step: number;
    }
  | { readonly kind: 'stopped'; readonly step: number }
  | { readonly kind: 'failed'; readonly error: SerializedError; readonly step: number };

/** An error as it crosses: a structured clone would lose its class and code. */
export interface SerializedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: readonly ErrorDetail[];
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: SerializedError };

export type GradientCheckTask = Omit<GradientCheckPlan, 'parameters'> & {
  /** null for those of a fresh network: the thread makes them from the seed, which may take seconds. */
  readonly parameters: Parameters | null;
};

export type GradientCheckResult = GradientCheckReport & { readonly durationMs: number };

/** A model as a predict thread needs it; the parameters are in shared memory. */
export interface ServedNetwork extends Network {
  readonly reference: VersionReference;
  readonly parameters: Float32Array;
  readonly classNames: readonly string[];
}

export interface PredictTask {
  readonly network: ServedNetwork;
  /** Decoding a large body is the thread's work too. */
  readonly images: EncodedImages;
  readonly options: PredictionOptions;
  readonly format: 'json' | 'npy';
}
