/** Prepares a training: the split, the engine's settings and the initial parameters. */
import { holdOut, type Split } from '../examples/batches.ts';
import { initialize } from '../network/initialize.ts';
import type { Parameters } from '../network/layers.ts';
import { checkExamples, type EngineSettings, type Examples } from './engine.ts';
import { engineSettings, type TrainingPlan } from './plan.ts';

export interface PreparedTraining {
  readonly plan: TrainingPlan;
  readonly train: Examples;
  /** null if the test split is not measured. */
  readonly test: Examples | null;
  /** Whether only the result is measured on the test split, instead of every epoch. */
  readonly testOnce: boolean;
  /** Indices into `train`. */
  readonly split: Split;
  readonly settings: EngineSettings;
  /** Packed initial parameters. */
  readonly initial: Parameters;
}

/** @throws RangeError if the examples do not match the layer sizes, or the plan is inconsistent */
export function prepareTraining(
  plan: TrainingPlan,
  train: Examples,
  test: Examples | null,
  testOnce = false,
): PreparedTraining {
  const { architecture, seed } = plan;
  checkExamples(train, architecture);
  if (test !== null) checkExamples(test, architecture);
  const split = holdOut(train.labels, plan.holdout, seed);
  return {
    plan,
    train,
    test,
    testOnce,
    split,
    settings: engineSettings(plan, train, split.train),
    initial: plan.initialParameters ?? initialize(plan.initialization, architecture, seed),
  };
}
