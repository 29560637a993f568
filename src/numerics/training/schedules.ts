/** Learning-rate schedules. */

export type Schedule =
  | { readonly type: 'constant' }
  | { readonly type: 'step'; readonly every: number; readonly factor: number }
  | { readonly type: 'exponential'; readonly factor: number }
  | { readonly type: 'cosine'; readonly final: number }
  | { readonly type: 'warmup-cosine'; readonly warmupEpochs: number; readonly final: number }
  | {
      readonly type: 'cosine-restarts';
      readonly period: number;
      readonly periodFactor: number;
      readonly final: number;
    }
  | PlateauSchedule
  | {
      readonly type: 'one-cycle';
      readonly peak: number;
      readonly warmupFraction: number;
      readonly final: number;
    };

export interface PlateauSchedule {
  readonly type: 'plateau';
  readonly factor: number;
  readonly patience: number;
  readonly minDelta: number;
}

/** Planned length of a training. */
export interface TrainingLength {
  readonly stepsPerEpoch: number;
  readonly steps: number;
}

/**
 * Learning rate η of step i (from 0), given the initial rate η₀, in epoch e = ⌊i / stepsPerEpoch⌋. Transitions between
 * two rates follow half a cosine: the first step has the first rate, the last step the second. `plateau` is the factor of the plateau state.
 */
export function learningRateAt(
  schedule: Schedule,
  initialRate: number,
  step: number,
  { stepsPerEpoch, steps }: TrainingLength,
  plateau: number,
): number {
  const epoch = Math.floor(step / stepsPerEpoch);
  switch (schedule.type) {
    case 'constant':
      return initialRate;
    case 'plateau':
      return initialRate * plateau;
    /** η₀ · factor^⌊e / every⌋ */
    case 'step':
      return initialRate * schedule.factor ** Math.floor(epoch / schedule.every);
    /** η₀ · factorᵉ */
    case 'exponential':
      return initialRate * schedule.factor ** epoch;
    /** η₀ to η₀ · final over all steps */
    case 'cosine':
      return between(initialRate, initialRate * schedule.final, step, steps - 1);
    /** η₀ (i + 1) / w over the first w steps, then η₀ to η₀ · final over the rest */
    case 'warmup-cosine': {
      const warmup = Math.round(schedule.warmupEpochs * stepsPerEpoch);
      if (step < warmup) return (initialRate * (step + 1)) / warmup;
      return between(initialRate, initialRate * schedule.final, step - warmup, steps - warmup - 1);
    }
    /**
     * η_min + (η₀ − η_min) (1 + cos(π T_cur / T_i)) / 2, η_min = η₀ · final: SGDR (Loshchilov and Hutter, ICLR 2017),
     * PyTorch's CosineAnnealingWarmRestarts. T_cur is the number of steps since the last restart, T_i the length of the
     * current period. T_cur < T_i, so the last step of a period is still above η_min.
     */
    case 'cosine-restarts': {
      const { done, length } = periodAt(schedule, step, stepsPerEpoch);
      return between(initialRate, initialRate * schedule.final, done, length);
    }
    /**
     * η₀ to the peak over the first warmupFraction of the steps, then to peak · final: PyTorch's OneCycleLR
     * without its momentum cycle (Smith and Topin, 2018). The peak may lie between two steps.
     */
    case 'one-cycle': {
      const { peak, warmupFraction, final } = schedule;
      const top = Math.max(0, warmupFraction * steps - 1);
      if (step < top) return between(initialRate, peak, step, top);
      return between(peak, peak * final, step - top, steps - 1 - top);
    }
  }
}

/** to + (from − to) (1 + cos(π · done / length)) / 2; `from` if the length is not positive. */
function between(from: number, to: number, done: number, length: number): number {
  const fraction = length > 0 ? done / length : 0;
  return to + ((from - to) * (1 + Math.cos(Math.PI * fraction))) / 2;
}

/** T_cur and T_i of a step: T_0 is the period, T_{i+1} = periodFactor · T_i. */
function periodAt(
  { period, periodFactor }: { readonly period: number; readonly periodFactor: number },
  step: number,
  stepsPerEpoch: number,
): { readonly done: number; readonly length: number } {
  const first = Math.max(1, Math.round(period * stepsPerEpoch));
  if (periodFactor === 1) return { done: step % first, length: first };
  let done = step;
  let length = first;
  while (done >= length) {
    done -= length;
    length *= periodFactor;
  }
  return { done, length };
}

/** The state of the plateau schedule. */
export interface PlateauState {
  /** Current rate / η₀. */
  readonly factor: number;
  readonly best: number;
  /** Epochs without improvement since the best one, or since the rate was lowered. */
  readonly badEpochs: number;
}

export const INITIAL_PLATEAU: PlateauState = { factor: 1, best: Number.POSITIVE_INFINITY, badEpochs: 0 };

/**
 * The state after an epoch with the given loss. The rate is multiplied by `factor` after more than `patience` consecutive
 * epochs that do not improve the best loss by more than `minDelta`: PyTorch's ReduceLROnPlateau, mode min, threshold
 * mode abs.
 */
export function updatePlateau(
  { factor, best, badEpochs }: PlateauState,
  schedule: PlateauSchedule,
  loss: number,
): PlateauState {
  if (loss < best - schedule.minDelta) return { factor, best: loss, badEpochs: 0 };
  if (badEpochs + 1 <= schedule.patience) return { factor, best, badEpochs: badEpochs + 1 };
  return { factor: factor * schedule.factor, best, badEpochs: 0 };
}
