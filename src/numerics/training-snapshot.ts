/** Where a training stands between two steps, and whether what was taken of one fits another. */
import type { StoppingState } from './early-stopping.ts';
import type { Engine, EngineState } from './engine.ts';
import type { PlateauState } from './schedules.ts';
import type { LoopStopReason } from './stop-reason.ts';
import type { TrainingPlan } from './training-plan.ts';

/** Besides the engine's own, all that the rest of a training depends on at the boundary between two steps. */
export interface TrainingState {
  /** Steps done in all. */
  step: number;
  /**
   * Of the epoch so far: examples, sum of their losses, and how many were classified rightly. All 0 once an epoch has
   * been judged: after its last step, that is what tells before from after.
   */
  examples: number;
  loss: number;
  correct: number;
  plateau: PlateauState;
  stopping: StoppingState;
  /** Rounded parameters of the best epoch, where the best are to be restored. */
  best: Float32Array | null;
  /** Why the training is over, once the last epoch has been judged. */
  end: LoopStopReason | null;
}

/** All that it takes to go on bit for bit, with the same plan and examples and an engine of the same name. */
export interface TrainingSnapshot extends Readonly<TrainingState> {
  readonly engineName: string;
  readonly engine: EngineState;
}

/** What a snapshot has to fit. */
export interface TrainingShape {
  /** Examples of an epoch. */
  readonly examples: number;
  readonly stepsPerEpoch: number;
  readonly steps: number;
  readonly parameters: number;
}

/** Of copies: the training may go on, and what a snapshot holds may be given away. */
export function takeSnapshot(state: Readonly<TrainingState>, engine: Engine): TrainingSnapshot {
  const best = state.best?.slice() ?? null;
  return { ...state, best, engineName: engine.name, engine: engine.exportState() };
}

/** The epoch, from 1, that a training is in: one whose steps are done is left when it has been judged. */
export function currentEpoch({ step, examples }: Readonly<TrainingState>, stepsPerEpoch: number): number {
  return examples > 0 ? Math.ceil(step / stepsPerEpoch) : Math.floor(step / stepsPerEpoch) + 1;
}

/** The lengths of the engine's vectors are the engine's to check. @throws RangeError naming what does not fit. */
export function checkSnapshot(
  snapshot: TrainingSnapshot,
  engineName: string,
  plan: TrainingPlan,
  shape: TrainingShape,
): void {
  const { step, examples, end, engine, best, stopping } = snapshot;
  if (snapshot.engineName !== engineName) {
    throw new RangeError(`a snapshot of engine ${snapshot.engineName} cannot go on with ${engineName}`);
  }
  const last = plan.stopAtStep ?? shape.steps;
  if (!(Number.isInteger(step) && step >= 0 && step <= last)) {
    throw new RangeError(`the snapshot is at step ${step}, but the training has steps 0 to ${last}`);
  }
  if (engine.steps !== step) {
    throw new RangeError(`the snapshot is at step ${step}, but its engine at step ${engine.steps}`);
  }
  const done = step - (currentEpoch(snapshot, shape.stepsPerEpoch) - 1) * shape.stepsPerEpoch;
  const expected = end === null ? Math.min(done * plan.batchSize, shape.examples) : 0;
  const isOver = end === null && step === shape.steps && examples === 0;
  if (examples !== expected || isOver) {
    throw new RangeError(
      `the snapshot is at step ${step} with ${examples} examples of its epoch seen, which this training never is`,
    );
  }
  const keepsBest = plan.earlyStopping?.restoreBest === true && stopping.bestEpoch !== null;
  const length = keepsBest ? shape.parameters : 0;
  if ((best?.length ?? 0) !== length) {
    throw new RangeError(`the snapshot keeps ${best?.length ?? 0} best parameters, not ${length}`);
  }
}
