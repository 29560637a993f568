/** Events of the training loop, the replies to them, and its result. */

import type { Evaluation, EvaluationChunk } from '../evaluation/measure.ts';
import type { Standardization } from '../network/layers.ts';
import type { EpochWarning } from './epoch-warnings.ts';
import type { TrainingSnapshot } from './snapshot.ts';
import type { LoopStopReason } from './stop-reason.ts';

/**
 * Losses are in nats. Training loss and accuracy are running means over the epoch. Validation and test figures,
 * weight norm and dead units are measured with parameters rounded to float32. An epoch that was stopped has metrics
 * too, for the steps it completed.
 */
export interface EpochMetrics {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly validationLoss: number | null;
  readonly validationAccuracy: number | null;
  /** null unless the test split is measured after every epoch. */
  readonly testLoss: number | null;
  readonly testAccuracy: number | null;
  /** Learning rate of the last step. */
  readonly learningRate: number;
  /** Gradient norm of the objective on the last batch, before clipping; in a stopped epoch, after its last update. */
  readonly gradientNorm: number;
  readonly weightNorm: number;
  readonly deadUnits: number[];
}

/** Position in a training. */
export interface TrainingPosition {
  readonly epoch: number;
  /** Steps done in total, of `steps`. */
  readonly step: number;
  readonly steps: number;
}

/** One update has been made. A non-finite `loss` is only reported: the consumer decides whether to stop. */
export interface TrainingStep extends TrainingPosition {
  readonly kind: 'step';
  /** Mean cross-entropy of the batch before the update, in nats. */
  readonly loss: number;
  readonly examples: number;
}

/** An epoch has been measured. A resumed training may begin with this event. */
export interface EpochEnd extends TrainingPosition {
  readonly kind: 'epoch';
  readonly metrics: EpochMetrics;
  readonly warnings: readonly EpochWarning[];
  /** Whether the training ends after this epoch. If not, the reply 'stop' still ends it. */
  readonly isLast: boolean;
}

/** Yielded after the reply 'snapshot'. The reply to this event counts as the reply to the event before it. */
export interface SnapshotTaken {
  readonly kind: 'snapshot';
  readonly snapshot: TrainingSnapshot;
}

export type LoopEvent = TrainingStep | EvaluationChunk | EpochEnd | SnapshotTaken;

/**
 * Replies of the consumer to a step or the end of an epoch, passed to `next`. 'stop' ends the training without an
 * error, for example when a budget is used up. 'snapshot' requests the state needed to resume from here. undefined
 * continues.
 */
export type LoopReply = 'stop' | 'snapshot' | undefined;

export interface TrainingResult {
  /** Packed parameters, rounded to the precision of published models. */
  readonly parameters: Float32Array;
  /** The epoch whose record measured these parameters: the last, or the best if restoreBest applies. */
  readonly epoch: number;
  /** Measurement of these parameters on the test split, if it is measured once. */
  readonly tested: Evaluation | null;
  /** Name of the engine that computed them. */
  readonly engine: string;
  /** Belongs to the parameters: without it they define another function. */
  readonly standardization: Standardization | null;
  readonly stoppedAt: { readonly step: number; readonly reason: LoopStopReason };
}
