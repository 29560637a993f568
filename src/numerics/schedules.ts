/** How the learning rate changes over the epochs. */

export type Schedule =
  | { readonly type: 'constant' }
  | { readonly type: 'exponential'; readonly factor: number };

/** rate · factorᵉ⁻¹ in epoch e, from 1. */
export function learningRateAt(schedule: Schedule, initialRate: number, epoch: number): number {
  switch (schedule.type) {
    case 'constant':
      return initialRate;
    case 'exponential':
      return initialRate * schedule.factor ** (epoch - 1);
  }
}
