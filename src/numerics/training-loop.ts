/** A training from its first number to its last, as a generator: no clock, no I/O; whoever drives it may stop. */
import { batchViews, shuffleEpoch, splitByClass } from './batches.ts';
import { afterEpoch, STOPPING_START, type StoppingState } from './early-stopping.ts';
import { type CreateEngine, checkExamples, type Examples, type StepPosition } from './engine.ts';
import { epochWarnings } from './epoch-warnings.ts';
import {
  type Evaluation,
  type EvaluationChunk,
  evaluate,
  evaluateByEngine,
  inspect,
  weightNorm,
} from './evaluate.ts';
import { initialize } from './initialize.ts';
import { afterPlateauEpoch, learningRateAt, PLATEAU_START, type PlateauState } from './schedules.ts';
import type {
  EpochEnd,
  EpochMetrics,
  StopReason,
  TrainingEvent,
  TrainingReply,
  TrainingResult,
} from './training-events.ts';
import { engineSettings, type TrainingPlan } from './training-plan.ts';

/** Besides the engine's own, all that the rest of a training depends on at the boundary between two steps. */
interface TrainingState {
  /** Steps done in all. */
  step: number;
  /** Of the epoch so far: examples, sum of their losses, and how many were classified rightly. */
  examples: number;
  loss: number;
  correct: number;
  plateau: PlateauState;
  stopping: StoppingState;
  /** Rounded parameters of the best epoch, where the best are to be restored. */
  best: Float32Array | null;
}

const DEAD_UNIT_IMAGES = 1024;

/** @throws RangeError when the examples do not fit the layer sizes, or the parts of the plan each other. */
export function* trainingLoop(
  plan: TrainingPlan,
  train: Examples,
  test: Examples,
  createEngine: CreateEngine,
): Generator<TrainingEvent, TrainingResult, TrainingReply> {
  const { layerSizes, seed, epochs, batchSize, schedule, earlyStopping } = plan;
  checkExamples(train, layerSizes);
  checkExamples(test, layerSizes);
  const split = splitByClass(train.labels, plan.validationFraction, seed);
  const settings = engineSettings(plan, train, split.train);
  const initial = plan.initialParameters ?? initialize(plan.initialization, layerSizes, seed);
  const engine = createEngine(settings, initial);
  const testIndices = Uint32Array.from(test.labels.keys());
  const order = new Uint32Array(split.train.length);
  const batches = batchViews(order, batchSize);
  const steps = epochs * batches.length;
  const length = { stepsPerEpoch: batches.length, steps };
  const rounded = new Float32Array(initial.length);
  // Float64 again, so that the forward pass is compiled for one kind of array; the values are the rounded ones.
  const measured = new Float64Array(rounded.length);
  const sums = { loss: 0, correct: 0 };
  const state: TrainingState = {
    step: 0,
    examples: 0,
    loss: 0,
    correct: 0,
    plateau: PLATEAU_START,
    stopping: STOPPING_START,
    best: null,
  };

  for (let epoch = 1; ; epoch++) {
    Object.assign(state, { examples: 0, loss: 0, correct: 0 });
    shuffleEpoch(order, split.train, seed, epoch);
    let isStopped = false;
    let batch = batches[0]!;
    let position: StepPosition = { epoch, start: 0, learningRate: 0, measureNorm: false };
    for (let b = 0; b < batches.length && !isStopped; b++) {
      batch = batches[b]!;
      position = {
        epoch,
        start: b * batchSize,
        learningRate: learningRateAt(schedule, plan.learningRate, state.step, length, state.plateau.factor),
        measureNorm: b + 1 === batches.length,
      };
      engine.step(train, batch, position, sums);
      state.step++;
      state.examples += batch.length;
      state.loss += sums.loss;
      state.correct += sums.correct;
      const reply = yield {
        kind: 'step',
        epoch,
        step: state.step,
        steps,
        loss: sums.loss / batch.length,
        examples: batch.length,
      };
      isStopped = reply === 'stop' || state.step === plan.stopAtStep;
    }

    rounded.set(engine.parameters);
    measured.set(rounded);
    const end = yield* measureEpoch(batch, position);
    const { metrics } = end;
    const { validationLoss, validationAccuracy, trainLoss } = metrics;
    if (schedule.type === 'plateau') {
      state.plateau = afterPlateauEpoch(state.plateau, schedule, validationLoss ?? trainLoss);
    }
    if (earlyStopping !== null) {
      state.stopping = afterEpoch(state.stopping, earlyStopping, epoch, metrics);
      const isBest = state.stopping.bestEpoch === epoch;
      if (earlyStopping.restoreBest && isBest) state.best = rounded.slice();
    }
    if ((yield end) === 'stop') isStopped = true;

    const reason = reasonToEnd(validationAccuracy, isStopped);
    // What reached the target is what was asked for, even if another epoch was better by what is monitored.
    const restored = reason === 'target-reached' ? null : state.best;
    if (reason !== null) {
      return {
        parameters: restored ?? rounded,
        epoch: restored === null ? epoch : state.stopping.bestEpoch!,
        engine: engine.name,
        standardization: settings.standardization,
        stoppedAt: { step: state.step, reason },
      };
    }
  }

  function reasonToEnd(validationAccuracy: number | null, isStopped: boolean): StopReason | null {
    const target = plan.targetValidationAccuracy;
    if (target !== null && validationAccuracy! >= target) return 'target-reached';
    if (state.step === steps) return 'completed';
    if (isStopped) return 'budget';
    return earlyStopping !== null && state.stopping.badEpochs >= earlyStopping.patience
      ? 'early-stopping'
      : null;
  }

  /** `batch` and `position` are those of the last step. */
  function* measureEpoch(
    batch: Uint32Array,
    position: StepPosition,
  ): Generator<EvaluationChunk, EpochEnd, unknown> {
    const { epoch, learningRate } = position;
    const held = split.validation;
    const validation = held.length === 0 ? null : yield* measure(train, held);
    const tested = yield* measure(test, testIndices);
    const seen = split.train.subarray(0, DEAD_UNIT_IMAGES);
    const { deadUnits, isConstant } = yield* inspect(settings, measured, train, seen);
    const metrics: EpochMetrics = {
      epoch,
      trainLoss: state.loss / state.examples,
      trainAccuracy: state.correct / state.examples,
      validationLoss: validation?.loss ?? null,
      validationAccuracy: validation?.accuracy ?? null,
      testLoss: tested.loss,
      testAccuracy: tested.accuracy,
      learningRate,
      gradientNorm: position.measureNorm ? engine.gradientNorm() : gradientNormAt(batch, position),
      weightNorm: weightNorm(measured, layerSizes),
      deadUnits,
    };
    return { kind: 'epoch', metrics, warnings: epochWarnings({ ...metrics, isConstant }) };
  }

  function measure(
    examples: Examples,
    indices: Uint32Array,
  ): Generator<EvaluationChunk, Evaluation, unknown> {
    return engine.measure === undefined
      ? evaluate(settings, measured, examples, indices)
      : evaluateByEngine(engine.measure, examples, indices);
  }

  /** Where the last step could not know that it would be the last. */
  function gradientNormAt(batch: Uint32Array, position: StepPosition): number {
    const gradient = new Float64Array(initial.length);
    engine.gradient(gradient, train, batch, position);
    return Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
  }
}
