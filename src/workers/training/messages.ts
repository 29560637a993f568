/** Messages of a training thread, and the cells that it shares with the main thread. */
import type { FinishedEpoch, Progress } from '../../domain/jobs/epoch-record.ts';
import type { GradientCheckSummary } from '../../domain/jobs/training.ts';
import type { Examples } from '../../numerics/training/engine.ts';
import type { TrainingResult } from '../../numerics/training/loop-events.ts';
import type { TrainingPlan } from '../../numerics/training/plan.ts';
import type { SerializedError } from '../threads/errors.ts';

/** The task of a run. Pixels and labels are in shared memory. */
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

export const createControl = () => new Int32Array(new SharedArrayBuffer(4 * Object.keys(CONTROL).length));

/** An encoded checkpoint. */
export interface CheckpointBytes {
  readonly step: number;
  readonly epoch: number;
  /** At the end of an epoch, the loss that selects the best epoch; otherwise null. */
  readonly loss: number | null;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Reports of a run while it lasts. */
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

/** How a run ended. */
export type FinalMessage =
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

/** Any number of reports, then one final message. */
export type WorkerMessage = WorkerReport | FinalMessage;

/** @param transfer views whose memory is moved to the main thread instead of copied */
export type PostReport = (report: WorkerReport, transfer?: readonly ArrayBufferView[]) => void;
