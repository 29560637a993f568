/** Snapshots: the state of a training between two steps, and its validation before resuming. */
import type { StoppingState } from './early-stopping.ts';
import type { Engine, EngineState } from './engine.ts';
import type { TrainingPlan } from './plan.ts';
import type { PlateauState } from './schedules.ts';
import type { LoopStopReason } from './stop-reason.ts';

/** Everything besides the engine's state that determines the rest of a training, between two steps. */
export interface TrainingState {
  /** Steps completed in the whole training. */
  step: number;
  /**
   * Totals of the current epoch: examples, sum of losses, correct predictions. They return to 0 once the epoch has been
   * evaluated. A snapshot after the last step thus shows whether that has happened.
   */
  examples: number;
  loss: number;
  correct: number;
  plateau: PlateauState;
  stopping: StoppingState;
  /** Rounded parameters of the best epoch, if they are to be restored. */
  best: Float32Array | null;
  /** Why the training has ended; null until its last epoch has been evaluated. */
  end: LoopStopReason | null;
}

/** The state from which a training with the same plan, examples and engine name continues bit for bit. */
export interface TrainingSnapshot extends Readonly<TrainingState> {
  readonly engineName: string;
  readonly engine: EngineState;
}

/** Dimensions that a snapshot must match. */
export interface TrainingShape {
  /** Examples per epoch. */
  readonly examples: number;
  readonly stepsPerEpoch: number;
  readonly steps: number;
  readonly parameters: number;
}

/** Copies all vectors, so the training may continue and the snapshot may be transferred. */
export function takeSnapshot(state: Readonly<TrainingState>, engine: Engine): TrainingSnapshot {
  const best = state.best?.slice() ?? null;
  return { ...state, best, engineName: engine.name, engine: engine.exportState() };
}

/** The current epoch, from 1. An epoch ends when it has been evaluated, not with its last step. */
export function currentEpoch({ step, examples }: Readonly<TrainingState>, stepsPerEpoch: number): number {
  return examples > 0 ? Math.ceil(step / stepsPerEpoch) : Math.floor(step / stepsPerEpoch) + 1;
}

/** Does not check the lengths of the engine's vectors: the engine does. @throws RangeError naming the mismatch. */
export function checkSnapshot(
  snapshot: TrainingSnapshot,
  engineName: string,
  plan: TrainingPlan,
  shape: TrainingShape,
): void {
  const { step, examples, end, engine, best, stopping } = snapshot;
  if (snapshot.engineName !== engineName) {
    throw new RangeError(
      `A snapshot of engine ${snapshot.engineName} cannot be resumed by engine ${engineName}.`,
    );
  }
  const last = plan.stopAtStep ?? shape.steps;
  if (!(Number.isInteger(step) && step >= 0 && step <= last)) {
    throw new RangeError(`The snapshot is at step ${step}, but the training has steps 0 to ${last}.`);
  }
  if (engine.steps !== step) {
    throw new RangeError(`The snapshot is at step ${step}, but its engine is at step ${engine.steps}.`);
  }
  const done = step - (currentEpoch(snapshot, shape.stepsPerEpoch) - 1) * shape.stepsPerEpoch;
  const expected = end === null ? Math.min(done * plan.batchSize, shape.examples) : 0;
  const isOver = end === null && step === shape.steps && examples === 0;
  if (examples !== expected || isOver) {
    throw new RangeError(
      `The snapshot is at step ${step} with ${examples} examples of its epoch done. This training never reaches it.`,
    );
  }
  const keepsBest = plan.earlyStopping?.restoreBest === true && stopping.bestEpoch !== null;
  const length = keepsBest ? shape.parameters : 0;
  if ((best?.length ?? 0) !== length) {
    throw new RangeError(`The snapshot has ${best?.length ?? 0} best parameters, not ${length}.`);
  }
}
