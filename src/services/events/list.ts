/** Lists the events of a job, or reports that they were deleted. */
import { isEnded } from '../../domain/jobs/status.ts';
import type { JobEvent, TrainingJob } from '../../domain/jobs/training.ts';
import { AtelierError } from '../../errors.ts';
import type { Page } from '../../store/database/pagination.ts';
import type { Store } from '../../store/persistent-state.ts';

/** @throws AtelierError `events-deleted` */
export async function listEvents(
  events: Pick<Store['events'], 'list'>,
  { id, status }: Pick<TrainingJob, 'id' | 'status'>,
  query: Parameters<Store['events']['list']>[1],
): Promise<Page<JobEvent>> {
  const page = await events.list(id, query);
  const isComplete = page.data[0]?.id === (query.after ?? 0) + 1;
  if (isComplete || !isEnded(status)) return page;
  // Every job has an event 1, and it is the first one to be deleted.
  const [first] = (await events.list(id, { limit: 1 })).data;
  if (first?.id === 1) return page;
  throw new AtelierError(
    'events-deleted',
    `The events of training job ${id} were deleted some time after its end. The job and its metrics are still available.`,
  );
}
