/** Events of the training loop, the replies to them, and its result. */
import type { EpochWarning } from './epoch-warnings.ts';
import type { EvaluationChunk } from './evaluate.ts';
import type { Standardization } from './network.ts';
import type { LoopStopReason } from './stop-reason.ts';
import type { TrainingSnapshot } from './training-snapshot.ts';

/**
 * Losses in nats. Of the training part: running means over the epoch. Of the others: on rounded parameters. An epoch
 * that was stopped has a record too, of the steps that it did.
 */
export interface EpochMetrics {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly validationLoss: number | null;
  readonly validationAccuracy: number | null;
  readonly testLoss: number;
  readonly testAccuracy: number;
  /** Of the last step. */
  readonly learningRate: number;
  /** Of the objective on the last batch, before clipping; of an epoch that was stopped, after its last update. */
  readonly gradientNorm: number;
  readonly weightNorm: number;
  readonly deadUnits: number[];
}

/** One update is done. A `loss` that is not finite is reported, not judged: the consumer stops or goes on. */
export interface TrainingStep {
  readonly kind: 'step';
  readonly epoch: number;
  /** Steps done in all, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** Mean cross-entropy of the batch before the update, in nats. */
  readonly loss: number;
  readonly examples: number;
}

export interface EpochEnd {
  readonly kind: 'epoch';
  readonly metrics: EpochMetrics;
  readonly warnings: readonly EpochWarning[];
  /** Whether the training is over with it, unless a 'stop' that is replied to it ends it. */
  readonly isLast: boolean;
}

/** The answer to 'snapshot'. What is replied to it counts as the reply to the event before. */
export interface SnapshotTaken {
  readonly kind: 'snapshot';
  readonly snapshot: TrainingSnapshot;
}

export type LoopEvent = TrainingStep | EvaluationChunk | EpochEnd | SnapshotTaken;

/**
 * What the consumer may answer to a step or the end of an epoch, passing it to `next`. 'stop': end here, in good order,
 * because some budget that only the consumer knows is used up. 'snapshot': say first what it takes to go on from here.
 */
export type LoopReply = 'stop' | 'snapshot' | undefined;

export interface TrainingResult {
  /** Packed, rounded to the precision in which models are published. */
  readonly parameters: Float32Array;
  /** The epoch whose record measured these parameters: the best one where the best are restored, else the last. */
  readonly epoch: number;
  /** Name of the engine that computed them. */
  readonly engine: string;
  /** Goes with the parameters: without it they are another function. */
  readonly standardization: Standardization | null;
  readonly stoppedAt: { readonly step: number; readonly reason: LoopStopReason };
}
