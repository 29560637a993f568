/** Warnings about the figures of an epoch, with advice. */

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
  /** Fraction of dead channels of each convolution, then of dead units of each hidden layer. */
  readonly deadUnits: readonly number[];
  /** Number of convolutions. */
  readonly convolutions: number;
  /** Whether all evaluated images were assigned to one class. */
  readonly isConstant: boolean;
}

const DEAD_FRACTION = 0.5;
/** The gradient norm is usually of the order of 1, and at most 40 without hidden layers. */
const LARGE_NORM = 100;
/** × ln K, the loss of a uniform guess. A loss this high means the weights have exploded. */
const LARGE_LOSS = 100;

export function epochWarnings(figures: EpochFigures): EpochWarning[] {
  const { epoch, learningRate, deadUnits, convolutions, isConstant } = figures;
  const warnings: EpochWarning[] = [];
  const nameLayer = (l: number) =>
    l < convolutions ? `channels of convolution ${l + 1}` : `units of hidden layer ${l + 1 - convolutions}`;
  const dead = deadUnits.flatMap((fraction, l) =>
    fraction > DEAD_FRACTION ? [`${Math.round(fraction * 100)} % of the ${nameLayer(l)}`] : [],
  );
  if (dead.length > 0) {
    warnings.push({
      code: 'dead-units',
      message:
        `After epoch ${epoch}, ${dead.join(' and ')} are zero on every sampled image: dead ReLU units no longer ` +
        `learn. Lower the learning rate (${learningRate}), use "leaky-relu", or use fewer units.`,
    });
  }
  if (isConstant) {
    warnings.push({
      code: 'constant-prediction',
      message:
        `After epoch ${epoch} the network assigns every image to the same class. Lower the learning rate ` +
        `(${learningRate}) if the loss has risen, raise it if the loss hardly changes, and check that penalties (l1, l2, ` +
        'weight decay) are not too strong.',
    });
  }
  const explosion = describeExplosion(figures);
  if (explosion !== null) {
    const advice = `Lower the learning rate (${learningRate}), or set "clipNorm", to 1 for example.`;
    warnings.push({ code: 'exploding-gradient', message: `${explosion}. ${advice}` });
  }
  return warnings;
}

/** Whether a mean training loss shows that the weights have exploded. */
export function isExplodedLoss(trainLoss: number, classes: number): boolean {
  return trainLoss > LARGE_LOSS * Math.log(classes);
}

/** Checks the gradient norm of the last step, and the loss of the epoch too, because dead units have no gradient. */
function describeExplosion({ epoch, gradientNorm, trainLoss, classes }: EpochFigures): string | null {
  if (gradientNorm > LARGE_NORM) {
    const length = gradientNorm.toPrecision(3);
    return `The gradient norm was ${length} in the last step of epoch ${epoch}; it is usually of the order of 1`;
  }
  if (isExplodedLoss(trainLoss, classes)) {
    const [loss, uniform] = [trainLoss.toPrecision(3), Math.log(classes).toPrecision(3)];
    return `The training loss of epoch ${epoch} was ${loss}; a uniform guess has ${uniform}: steps were too large`;
  }
  return null;
}
