/** A training from its first number to its last, as a generator: no clock, no I/O; whoever drives it may stop. */
import { batchViews, shuffleEpoch, splitByClass } from './batches.ts';
import { type CreateEngine, checkExamples, type Examples } from './engine.ts';
import { deadUnits, type EvaluationChunk, evaluate, weightNorm } from './evaluate.ts';
import { initializeUniformFanIn } from './initialize.ts';
import type { LayerSizes } from './network.ts';
import { learningRateAt, type Schedule } from './schedules.ts';

/** All that the final parameters depend on, besides the examples and the engine. */
export interface TrainingPlan {
  readonly layerSizes: LayerSizes;
  readonly seed: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly schedule: Schedule;
  readonly l2: number;
  /** Share of each class that is held out; null trains on everything. */
  readonly validationFraction: number | null;
}

/** Losses in nats. Of the training part: running means over the epoch. Of the others: on rounded parameters. */
export interface EpochMetrics {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly validationLoss: number | null;
  readonly validationAccuracy: number | null;
  readonly testLoss: number;
  readonly testAccuracy: number;
  readonly learningRate: number;
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

export type TrainingEvent =
  | TrainingStep
  | EvaluationChunk
  | { readonly kind: 'epoch'; readonly metrics: EpochMetrics };

export interface TrainingResult {
  /** Packed, rounded to the precision in which models are published. */
  readonly parameters: Float32Array;
  /** Name of the engine that computed them. */
  readonly engine: string;
  readonly step: number;
}

const DEAD_UNIT_IMAGES = 1024;

/** @throws RangeError when the examples do not fit the layer sizes, or fewer than a batch are left to train on. */
export function* trainingLoop(
  plan: TrainingPlan,
  train: Examples,
  test: Examples,
  createEngine: CreateEngine,
): Generator<TrainingEvent, TrainingResult, void> {
  const { layerSizes, seed, epochs, batchSize, l2 } = plan;
  checkExamples(train, layerSizes);
  checkExamples(test, layerSizes);
  const split = splitByClass(train.labels, plan.validationFraction, seed);
  if (batchSize < 1 || batchSize > split.train.length) {
    throw new RangeError(`${split.train.length} training images cannot fill a batch of ${batchSize}`);
  }
  const testIndices = Uint32Array.from(test.labels.keys());
  const order = new Uint32Array(split.train.length);
  const batches = batchViews(order, batchSize);
  const steps = epochs * batches.length;
  const engine = createEngine({ layerSizes, batchSize, l2 }, initializeUniformFanIn(layerSizes, seed));
  const rounded = new Float32Array(engine.parameters.length);
  // Float64 again, so that the forward pass is compiled for one kind of array; the values are the rounded ones.
  const measured = new Float64Array(rounded.length);
  const sums = { loss: 0, correct: 0 };
  let step = 0;

  for (let epoch = 1; epoch <= epochs; epoch++) {
    const learningRate = learningRateAt(plan.schedule, plan.learningRate, epoch);
    let loss = 0;
    let correct = 0;
    shuffleEpoch(order, split.train, seed, epoch);
    for (const batch of batches) {
      engine.step(train, batch, learningRate, sums);
      step++;
      loss += sums.loss;
      correct += sums.correct;
      yield { kind: 'step', epoch, step, steps, loss: sums.loss / batch.length, examples: batch.length };
    }

    rounded.set(engine.parameters);
    measured.set(rounded);
    const held = split.validation;
    const validation = held.length === 0 ? null : yield* evaluate(layerSizes, measured, train, held);
    const tested = yield* evaluate(layerSizes, measured, test, testIndices);
    const metrics: EpochMetrics = {
      epoch,
      trainLoss: loss / order.length,
      trainAccuracy: correct / order.length,
      validationLoss: validation?.loss ?? null,
      validationAccuracy: validation?.accuracy ?? null,
      testLoss: tested.loss,
      testAccuracy: tested.accuracy,
      learningRate,
      gradientNorm: engine.gradientNorm(),
      weightNorm: weightNorm(measured, layerSizes),
      deadUnits: yield* deadUnits(layerSizes, measured, train, split.train.subarray(0, DEAD_UNIT_IMAGES)),
    };
    yield { kind: 'epoch', metrics };
  }
  return { parameters: rounded, engine: engine.name, step };
}
