/** The training loop: a generator without clock or I/O that yields steps and epochs. */

import {
  type Evaluation,
  type EvaluationChunk,
  evaluate,
  evaluateByEngine,
  inspectByEngine,
  inspectNetwork,
  weightNorm,
} from '../evaluation/measure.ts';
import { batchViews, shuffleEpoch } from '../examples/batches.ts';
import { INITIAL_STOPPING, updateStopping } from './early-stopping.ts';
import type { Engine, Examples, StepPosition } from './engine.ts';
import { epochWarnings } from './epoch-warnings.ts';
import type {
  EpochEnd,
  EpochMetrics,
  LoopEvent,
  LoopReply,
  SnapshotTaken,
  TrainingResult,
} from './loop-events.ts';
import type { PreparedTraining } from './prepare.ts';
import { INITIAL_PLATEAU, learningRateAt, updatePlateau } from './schedules.ts';
import {
  checkSnapshot,
  currentEpoch,
  type TrainingSnapshot,
  type TrainingState,
  takeSnapshot,
} from './snapshot.ts';
import type { LoopStopReason } from './stop-reason.ts';

/** Images on which dead units are searched after each epoch. */
export const DEAD_UNIT_IMAGES = 1024;

/**
 * @param engine created from the prepared settings and initial parameters
 * @param from a snapshot of a training of the same plan and examples; the training continues from it bit for bit
 * @throws RangeError if the snapshot does not match the plan or the engine
 */
export function* trainingLoop(
  { plan, train, test, testOnce, split, settings, initial }: PreparedTraining,
  engine: Engine,
  from: TrainingSnapshot | null = null,
): Generator<LoopEvent, TrainingResult, LoopReply> {
  const { architecture, seed, epochs, batchSize, schedule, earlyStopping } = plan;
  const order = new Uint32Array(split.train.length);
  const batches = batchViews(order, batchSize);
  const stepsPerEpoch = batches.length;
  const steps = epochs * stepsPerEpoch;
  const length = { stepsPerEpoch, steps };
  const rounded = new Float32Array(initial.length);
  // Widened to float64, so that V8 compiles the forward pass for one array type; the values are the rounded ones.
  const measured = new Float64Array(rounded.length);
  const sums = { loss: 0, correct: 0 };
  const state = from === null ? initialState() : resume(from);

  while (state.end === null) {
    const epoch = currentEpoch(state, stepsPerEpoch);
    const lastStep = epoch * stepsPerEpoch;
    shuffleEpoch(order, split.train, seed, epoch);
    let isStopped = state.step === plan.stopAtStep;
    while (state.step < lastStep && !isStopped) {
      const batch = batchAt(state.step);
      engine.step(train, batch, positionAt(state.step), sums);
      state.step++;
      state.examples += batch.length;
      state.loss += sums.loss;
      state.correct += sums.correct;
      let reply = yield {
        kind: 'step',
        epoch,
        step: state.step,
        steps,
        loss: sums.loss / batch.length,
        examples: batch.length,
      };
      while (reply === 'snapshot') reply = yield snapshot();
      isStopped = reply === 'stop' || state.step === plan.stopAtStep;
    }

    const end = yield* measureEpoch();
    applyEpoch(end.metrics, isStopped);
    let reply: LoopReply = yield { ...end, isLast: state.end !== null };
    while (reply === 'snapshot') reply = yield snapshot();
    if (reply === 'stop') state.end ??= 'budget';
  }

  // The epoch that reached the target is the result, even if another epoch was better by the monitored figure.
  const restored = state.end === 'target-reached' ? null : state.best;
  const parameters = restored ?? new Float32Array(engine.parameters);
  return {
    parameters,
    epoch: restored === null ? Math.ceil(state.step / stepsPerEpoch) : state.stopping.bestEpoch!,
    tested: testOnce ? yield* measureResult(parameters) : null,
    engine: engine.name,
    standardization: settings.standardization,
    stoppedAt: { step: state.step, reason: state.end },
  };

  function initialState(): TrainingState {
    const nothing = { step: 0, examples: 0, loss: 0, correct: 0, best: null, end: null };
    return { ...nothing, plateau: INITIAL_PLATEAU, stopping: INITIAL_STOPPING };
  }

  function resume(snapshot: TrainingSnapshot): TrainingState {
    const { engineName, engine: engineState, ...reached } = snapshot;
    const shape = { examples: order.length, stepsPerEpoch, steps, parameters: initial.length };
    checkSnapshot(snapshot, engine.name, plan, shape);
    engine.importState(engineState);
    return { ...reached, best: reached.best?.slice() ?? null };
  }

  function snapshot(): SnapshotTaken {
    return { kind: 'snapshot', snapshot: takeSnapshot(state, engine) };
  }

  /** The batch of step i, from 0. */
  function batchAt(step: number): Uint32Array {
    return batches[step % stepsPerEpoch]!;
  }

  /** Epoch, start in the epoch and learning rate of step i, from 0. */
  function positionAt(step: number): StepPosition {
    const b = step % stepsPerEpoch;
    return {
      epoch: Math.floor(step / stepsPerEpoch) + 1,
      start: b * batchSize,
      learningRate: learningRateAt(schedule, plan.learningRate, step, length, state.plateau.factor),
      measureNorm: b + 1 === stepsPerEpoch,
    };
  }

  /** Updates schedule, early stopping and best parameters after an epoch. */
  function applyEpoch(metrics: EpochMetrics, isStopped: boolean): void {
    const { epoch, validationLoss, validationAccuracy, trainLoss } = metrics;
    if (schedule.type === 'plateau') {
      state.plateau = updatePlateau(state.plateau, schedule, validationLoss ?? trainLoss);
    }
    if (earlyStopping !== null) {
      state.stopping = updateStopping(state.stopping, earlyStopping, epoch, metrics);
      const isBest = state.stopping.bestEpoch === epoch;
      if (earlyStopping.restoreBest && isBest) state.best = rounded.slice();
    }
    const end = stopReason(validationAccuracy, isStopped);
    Object.assign(state, { examples: 0, loss: 0, correct: 0, end });
  }

  function stopReason(validationAccuracy: number | null, isStopped: boolean): LoopStopReason | null {
    const target = plan.targetValidationAccuracy;
    if (target !== null && validationAccuracy! >= target) return 'target-reached';
    if (state.step === steps) return 'completed';
    if (isStopped) return 'budget';
    return earlyStopping !== null && state.stopping.badEpochs >= earlyStopping.patience
      ? 'early-stopping'
      : null;
  }

  /** Called after the last step of an epoch, or the step after which it was stopped. */
  function* measureEpoch(): Generator<EvaluationChunk, Omit<EpochEnd, 'isLast'>, unknown> {
    rounded.set(engine.parameters);
    measured.set(rounded);
    const position = positionAt(state.step - 1);
    const { epoch, learningRate } = position;
    const held = split.validation;
    const validation = held.length === 0 ? null : yield* measure(train, held);
    const tested = testOnce ? null : yield* measureTest();
    const seen = split.train.subarray(0, DEAD_UNIT_IMAGES);
    const { deadUnits, isConstant } =
      engine.inspect === undefined
        ? yield* inspectNetwork(settings, measured, train, seen)
        : yield* inspectByEngine(engine.inspect, architecture, train, seen);
    const metrics: EpochMetrics = {
      epoch,
      trainLoss: state.loss / state.examples,
      trainAccuracy: state.correct / state.examples,
      validationLoss: validation?.loss ?? null,
      validationAccuracy: validation?.accuracy ?? null,
      testLoss: tested?.loss ?? null,
      testAccuracy: tested?.accuracy ?? null,
      learningRate,
      gradientNorm: position.measureNorm ? engine.gradientNorm() : gradientNormAt(position),
      weightNorm: weightNorm(measured, architecture),
      deadUnits,
    };
    return {
      kind: 'epoch',
      epoch,
      step: state.step,
      steps,
      metrics,
      warnings: epochWarnings({
        ...metrics,
        classes: architecture.classes,
        convolutions: architecture.convolutions.flat().length,
        isConstant,
      }),
    };
  }

  function* measureResult(parameters: Float32Array): Generator<EvaluationChunk, Evaluation | null, unknown> {
    const reached = engine.exportState();
    engine.importState({ ...reached, parameters, average: reached.average && parameters });
    measured.set(parameters);
    return yield* measureTest();
  }

  function* measureTest(): Generator<EvaluationChunk, Evaluation | null, unknown> {
    return test === null ? null : yield* measure(test, Uint32Array.from(test.labels.keys()));
  }

  function measure(
    examples: Examples,
    indices: Uint32Array,
  ): Generator<EvaluationChunk, Evaluation, unknown> {
    return engine.evaluate === undefined
      ? evaluate(settings, measured, examples, indices)
      : evaluateByEngine(engine.evaluate, examples, indices);
  }

  /** Measures the gradient norm of a stopped epoch: its last step was not planned as such and measured none. */
  function gradientNormAt(position: StepPosition): number {
    const gradient = new Float64Array(initial.length);
    engine.gradient(gradient, train, batchAt(state.step - 1), position);
    return Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
  }
}
