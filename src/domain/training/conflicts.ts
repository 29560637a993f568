/** Rules beyond the schema: options that conflict with each other or with the data set. */
import type { ErrorDetail } from '../../errors.ts';
import { GROUP_CHANNELS } from '../../numerics/network/architecture.ts';
import type { ImageShape } from '../../numerics/network/image-shape.ts';
import type { Dataset } from '../datasets/representation.ts';
import type { TrainingRequest } from '../jobs/request.ts';

const NO_SPLIT = 'requires a validation split, but the data set has none';

type Conflict = Extract<ErrorDetail, { pointer: string }>;

/**
 * Returns the conflicts, none if the options fit together.
 * @param dataset its shape, classes and validation split decide what fits
 * @param validationImages number of images held out for validation; 0 without validation, or if every class is too small
 *   for the fraction
 */
export function findTrainingConflicts(
  request: TrainingRequest,
  { imageShape, classNames, validation }: Pick<Dataset, 'imageShape' | 'classNames' | 'validation'>,
  validationImages: number,
): Conflict[] {
  const { network, training, warmStart } = request;
  const { optimizer, schedule, epochs, earlyStopping, budget, classWeights } = training;
  const classes = classNames.length;
  const conflicts = findNetworkConflicts(network, { imageShape });
  const addConflict = (field: string, detail: string) => conflicts.push({ pointer: `#/${field}`, detail });

  if (optimizer.type === 'sgd' && optimizer.nesterov && optimizer.momentum === 0) {
    addConflict('training/optimizer/nesterov', 'requires a momentum greater than 0');
  }
  if (training.dropout > 0 && network.hidden.length === 0) {
    addConflict(
      'training/dropout',
      'requires hidden units, but the network has none; omit it or add a hidden layer',
    );
  }
  if (schedule.type === 'warmup-cosine' && schedule.warmupEpochs >= epochs) {
    addConflict('training/schedule/warmupEpochs', `must be less than the ${epochs} epochs of the training`);
  }
  if (schedule.type === 'cosine-restarts' && schedule.period >= epochs) {
    addConflict('training/schedule/period', `must be less than the ${epochs} epochs of the training`);
  }
  if (schedule.type === 'one-cycle' && schedule.peak < optimizer.learningRate) {
    addConflict('training/schedule/peak', `must be at least the learning rate ${optimizer.learningRate}`);
  }
  if (Array.isArray(classWeights)) {
    if (classWeights.length !== classes) {
      addConflict(
        'training/classWeights',
        `must have ${classes} numbers, one per class, but has ${classWeights.length}`,
      );
    } else if (classWeights.every((weight) => weight === 0)) {
      addConflict('training/classWeights', 'must have at least one weight other than 0');
    }
  }
  if (validation === null && training.validation?.split) {
    addConflict('training/validation/split', `${NO_SPLIT}; omit it, or send a fraction`);
  } else if (validation === null && training.trainOnValidation) {
    addConflict('training/trainOnValidation', `${NO_SPLIT}; omit it`);
  } else if (training.validation?.split && training.trainOnValidation) {
    addConflict('training/validation/split', 'must not be true with trainOnValidation; omit one of them');
  } else if (validationImages === 0) {
    const fraction = training.validation?.fraction ?? 0;
    const advice =
      fraction === 0
        ? 'requires validation; set training.validation.fraction above 0'
        : `requires validation images, but ${fraction} of each class rounds to none; increase training.validation.fraction`;
    if (earlyStopping !== null) addConflict('training/earlyStopping', advice);
    if (budget?.targetValidationAccuracy !== undefined) {
      addConflict('training/budget/targetValidationAccuracy', advice);
    }
  }
  if (budget !== null && budget.seconds === undefined && budget.targetValidationAccuracy === undefined) {
    addConflict('training/budget', 'must have seconds, targetValidationAccuracy or both');
  }
  if (warmStart !== null && network.init !== 'uniform-fan-in') {
    addConflict('network/init', 'has no effect with warmStart: it provides the parameters; omit one of them');
  }
  return conflicts;
}

/** Conflicts of convolutions and norm with each other and with the images; a gradient check has them, too. */
export function findNetworkConflicts(
  { convolutions, norm }: TrainingRequest['network'],
  { imageShape }: Pick<Dataset, 'imageShape'>,
): Conflict[] {
  const conflicts: Conflict[] = [];
  const addConflict = (option: string, detail: string) =>
    conflicts.push({ pointer: `#/network/${option}`, detail });
  const tooSmall = describeVanished(imageShape, convolutions.length);
  if (tooSmall !== null) addConflict('convolutions', tooSmall);
  if (norm !== 'group') return conflicts;
  if (convolutions.length === 0) {
    addConflict('norm', 'has no effect without convolutions; omit it or add network.convolutions');
  }
  const uneven = convolutions.flat().find((channels) => channels % GROUP_CHANNELS !== 0);
  if (uneven !== undefined) {
    addConflict(
      'convolutions',
      `must be multiples of ${GROUP_CHANNELS} with the norm group, but one has ${uneven} channels`,
    );
  }
  return conflicts;
}

/** Why an image has no pixel left after the stages; null if it has. Each stage halves height and width, rounded down. */
function describeVanished([height, width]: ImageShape, stages: number): string | null {
  const sizes = Array.from({ length: stages + 1 }, (_, s) => [height >> s, width >> s] as const);
  if (sizes.every((size) => Math.min(...size) >= 1)) return null;
  const shown = sizes.map((size) => size.join('×')).join(', ');
  return `must have fewer stages: each halves height and width, so that images have ${shown} pixels`;
}
