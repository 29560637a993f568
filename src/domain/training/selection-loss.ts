/** Comparison of epochs. Imports no schema, because training threads use it. */
import type { EpochRecord } from '../jobs/epoch-record.ts';

/** Whether an epoch is better than the best so far. */
export function isImprovement(record: EpochRecord, best: EpochRecord | null): boolean {
  return best === null || selectionLoss(record) < selectionLoss(best);
}

/** The loss that selects the best epoch: validation loss, or training loss without a validation split. */
export function selectionLoss({
  validationLoss,
  trainLoss,
}: Pick<EpochRecord, 'validationLoss' | 'trainLoss'>): number {
  return validationLoss ?? trainLoss;
}
