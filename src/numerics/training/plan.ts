/** The training plan: all numerical settings of a training. */
import type { Holdout } from '../examples/batches.ts';
import { balancedClassWeights, pixelStatistics } from '../examples/statistics.ts';
import type { Initialization } from '../network/initialize.ts';
import type { Parameters, Standardization } from '../network/layers.ts';
import type { EarlyStopping } from './early-stopping.ts';
import type { EngineSettings, Examples } from './engine.ts';
import type { Schedule } from './schedules.ts';

/**
 * Everything that determines the final parameters, besides the examples and the engine: the options of the engine
 * (its settings take them unchanged) and what the loop and the data add.
 */
export interface TrainingPlan extends Omit<EngineSettings, 'standardization' | 'classWeights'> {
  readonly initialization: Initialization;
  /** Packed parameters to start from instead of the initialization. */
  readonly initialParameters: Parameters | null;
  readonly epochs: number;
  readonly learningRate: number;
  readonly schedule: Schedule;
  /** "balanced" to compute them from the training split, or one number per class. */
  readonly classWeights: 'balanced' | readonly number[] | null;
  /** Whether to standardize pixels, by the statistics of the training split (true) or by the given ones. */
  readonly standardize: boolean | Standardization;
  /** The examples that are held out for validation; null trains on everything. */
  readonly holdout: Holdout;
  readonly earlyStopping: EarlyStopping | null;
  /** The training ends after the first epoch that reaches this accuracy. */
  readonly targetValidationAccuracy: number | null;
  /** Ends the training after this step, to reproduce one that exhausted its budget. */
  readonly stopAtStep: number | null;
}

/**
 * @param indices the training split
 * @throws RangeError when the parts of the plan do not fit each other.
 */
export function engineSettings(plan: TrainingPlan, train: Examples, indices: Uint32Array): EngineSettings {
  const { architecture, batchSize, standardize } = plan;
  if (batchSize < 1 || batchSize > indices.length) {
    throw new RangeError(`${indices.length} training images cannot fill a batch of ${batchSize}.`);
  }
  const needsValidation = plan.earlyStopping !== null || plan.targetValidationAccuracy !== null;
  if (needsValidation && indices.length === train.labels.length) {
    throw new RangeError('Early stopping and a target accuracy need images held out for validation.');
  }
  const targets = plan.distillation?.targets.length;
  if (targets !== undefined && targets !== train.labels.length * architecture.classes) {
    throw new RangeError(`${train.labels.length} images cannot have ${targets} targets.`);
  }
  return {
    ...plan,
    standardization:
      standardize === true ? pixelStatistics(train, indices, architecture.inputShape) : standardize || null,
    classWeights: resolveClassWeights(plan, train, indices),
  };
}

function resolveClassWeights(
  { classWeights, architecture }: TrainingPlan,
  { labels }: Examples,
  indices: Uint32Array,
): Float64Array | null {
  if (classWeights === null) return null;
  const classes = architecture.classes;
  if (classWeights === 'balanced') return balancedClassWeights(labels, indices, classes);
  if (classWeights.length !== classes) {
    throw new RangeError(`${classes} classes cannot have ${classWeights.length} weights.`);
  }
  return Float64Array.from(classWeights);
}
