/** The best epoch of a training. */
import type { EpochRecord } from '../../../../src/domain/jobs/epoch-record.ts';

/** The first epoch with the smallest loss by which the service selects. */
export function bestEpoch(records: readonly EpochRecord[]): number | null {
  let best: EpochRecord | null = null;
  const loss = ({ validationLoss, trainLoss }: EpochRecord) => validationLoss ?? trainLoss;
  for (const record of records) if (best === null || loss(record) < loss(best)) best = record;
  return best?.epoch ?? null;
}
