/** What in the figures of an epoch should worry whoever trains, and what to do about it. */

export type EpochWarningCode = 'dead-units' | 'constant-prediction' | 'exploding-gradient';

export interface EpochWarning {
  readonly code: EpochWarningCode;
  readonly message: string;
}

export interface EpochFigures {
  readonly epoch: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  /** Mean cross-entropy, in nats. */
  readonly trainLoss: number;
  readonly classes: number;
  /** Share a hidden layer. */
  readonly deadUnits: readonly number[];
  /** Every image that was evaluated was taken for the same class. */
  readonly isConstant: boolean;
}

const DEAD_FRACTION = 0.5;
/** The gradient of cross-entropy through weights of usual size is a few units long, and 40 at most without hidden layers. */
const LARGE_NORM = 100;
/** Times ln K, the loss of a network that knows nothing: only weights that were thrown far away are so sure of what is wrong. */
const LARGE_LOSS = 100;

export function epochWarnings(figures: EpochFigures): EpochWarning[] {
  const { epoch, learningRate, deadUnits, isConstant } = figures;
  const warnings: EpochWarning[] = [];
  const dead = deadUnits.flatMap((fraction, l) =>
    fraction > DEAD_FRACTION ? [`${Math.round(fraction * 100)} % of hidden layer ${l + 1}`] : [],
  );
  if (dead.length > 0) {
    warnings.push({
      code: 'dead-units',
      message:
        `After epoch ${epoch}, ${dead.join(' and ')} are zero on every image looked at: dead ReLU units learn nothing ` +
        `any more. Lower the learning rate (${learningRate}), use "leaky-relu", or fewer units.`,
    });
  }
  if (isConstant) {
    warnings.push({
      code: 'constant-prediction',
      message:
        `After epoch ${epoch} the network takes every image for the same class. Lower the learning rate ` +
        `(${learningRate}) if the loss has risen, raise it if it hardly moves, and look for penalties (l1, l2, weight ` +
        'decay) that leave nothing but the biases.',
    });
  }
  const explosion = describeExplosion(figures);
  if (explosion !== null) {
    const advice = `Lower the learning rate (${learningRate}), or set "clipNorm", to 1 for example.`;
    warnings.push({ code: 'exploding-gradient', message: `${explosion}. ${advice}` });
  }
  return warnings;
}

/** By the last step of the epoch or, as units that died leave no gradient, by what the steps before it did to the loss. */
function describeExplosion({ epoch, gradientNorm, trainLoss, classes }: EpochFigures): string | null {
  if (gradientNorm > LARGE_NORM) {
    const length = gradientNorm.toPrecision(3);
    return `The gradient was ${length} long in the last step of epoch ${epoch}, where a few units are usual`;
  }
  const uniformLoss = Math.log(classes);
  if (trainLoss > LARGE_LOSS * uniformLoss) {
    const [loss, uniform] = [trainLoss.toPrecision(3), uniformLoss.toPrecision(3)];
    return `The training loss of epoch ${epoch} was ${loss}, and guessing has ${uniform}: steps were far too long`;
  }
  return null;
}
