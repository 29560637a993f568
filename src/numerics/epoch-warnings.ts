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
  /** Share a hidden layer. */
  readonly deadUnits: readonly number[];
  /** Every image that was evaluated was taken for the same class. */
  readonly isConstant: boolean;
}

const DEAD_SHARE = 0.5;
/** The gradient of cross-entropy through weights of usual size is a few units long, and 40 at most without hidden layers. */
const LARGE_NORM = 100;

export function epochWarnings(figures: EpochFigures): EpochWarning[] {
  const { epoch, learningRate, gradientNorm, deadUnits, isConstant } = figures;
  const warnings: EpochWarning[] = [];
  const dead = deadUnits.flatMap((share, l) =>
    share > DEAD_SHARE ? [`${Math.round(share * 100)} % of hidden layer ${l + 1}`] : [],
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
  if (gradientNorm > LARGE_NORM) {
    warnings.push({
      code: 'exploding-gradient',
      message:
        `The gradient was ${gradientNorm.toPrecision(3)} long in the last step of epoch ${epoch}, where a few units are ` +
        `usual. Lower the learning rate (${learningRate}), or set "clipNorm", to 1 for example.`,
    });
  }
  return warnings;
}
