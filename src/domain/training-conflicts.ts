/** Options that fit their limits, but not each other: refused when the job is created, not when it runs. */
import type { ErrorDetail } from '../errors.ts';
import type { TrainingRequest } from './training-job.ts';

type Conflict = Extract<ErrorDetail, { pointer: string }>;

/**
 * Empty where everything makes sense together.
 * @param classes of the data set
 * @param validationImages images for validation: none where every class is too small for its share
 */
export function findTrainingConflicts(
  request: TrainingRequest,
  classes: number,
  validationImages: number,
): Conflict[] {
  const { network, training, warmStart } = request;
  const { optimizer, schedule, epochs, earlyStopping, budget, classWeights } = training;
  const conflicts: Conflict[] = [];
  const addConflict = (field: string, detail: string) => conflicts.push({ pointer: `#/${field}`, detail });

  if (optimizer.type === 'sgd' && optimizer.nesterov && optimizer.momentum === 0) {
    addConflict('training/optimizer/nesterov', 'needs a momentum larger than 0');
  }
  if (training.dropout > 0 && network.hidden.length === 0) {
    addConflict(
      'training/dropout',
      'drops hidden units, and the network has none; leave it out or add a hidden layer',
    );
  }
  if (schedule.type === 'warmup-cosine' && schedule.warmupEpochs >= epochs) {
    addConflict('training/schedule/warmupEpochs', `must be less than the ${epochs} epochs of the training`);
  }
  if (schedule.type === 'one-cycle' && schedule.peak < optimizer.learningRate) {
    addConflict('training/schedule/peak', `must be at least the learning rate ${optimizer.learningRate}`);
  }
  if (Array.isArray(classWeights)) {
    if (classWeights.length !== classes) {
      addConflict(
        'training/classWeights',
        `must be ${classes} numbers, one a class, not ${classWeights.length}`,
      );
    } else if (classWeights.every((weight) => weight === 0)) {
      addConflict('training/classWeights', 'must have a weight that is not 0');
    }
  }
  if (validationImages === 0) {
    const { fraction } = training.validation ?? { fraction: 0 };
    const advice =
      fraction === 0
        ? 'needs validation: set training.validation.fraction above 0'
        : `needs images held out for validation, and ${fraction} of any class rounds to none; set training.validation.fraction higher`;
    if (earlyStopping !== null) addConflict('training/earlyStopping', advice);
    if (budget?.targetValidationAccuracy !== undefined) {
      addConflict('training/budget/targetValidationAccuracy', advice);
    }
  }
  if (budget !== null && budget.seconds === undefined && budget.targetValidationAccuracy === undefined) {
    addConflict('training/budget', 'must have seconds, targetValidationAccuracy or both');
  }
  if (warmStart !== null && network.init !== 'uniform-fan-in') {
    addConflict(
      'network/init',
      'has no effect with warmStart, which brings its own parameters; leave one out',
    );
  }
  return conflicts;
}
