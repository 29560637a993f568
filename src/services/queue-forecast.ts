/** Forecast of the queue: how many jobs start before a new one, and when a slot is free for it. */
import type { Catalog } from '../datasets/catalog.ts';
import type { TrainingJob } from '../domain/training-job.ts';
import type { TrainingPreview } from '../domain/training-preview.ts';
import type { Store } from '../store/store.ts';
import { layerSizesFor } from './build-plan.ts';
import { modelledSeconds } from './training-times.ts';

/** Jobs whose durations are estimated; more take as long on average. */
const MAX_READ = 100;
/** Assumed duration of a job whose data set is unknown. */
const UNKNOWN_SECONDS = 30;

/** @param priority of the new job, which queues behind earlier jobs of the same priority */
export async function forecastQueue(
  priority: number,
  {
    jobs,
    catalog,
    slots,
  }: { jobs: Pick<Store['jobs'], 'list' | 'countAhead' | 'listAhead'>; catalog: Catalog; slots: number },
): Promise<TrainingPreview['queue']> {
  const limit = MAX_READ;
  const [ahead, running, queued] = await Promise.all([
    jobs.countAhead(priority),
    jobs.list({ status: 'running', limit }),
    jobs.listAhead(priority, limit),
  ]);
  if (slots === 0) return { ahead, startsInSeconds: null };
  // Jobs of lower priority stop for the new one.
  const ranked = running.data.filter((job) => job.priority >= priority);
  // A queued job that was stopped continues where it was.
  const remaining = (job: TrainingJob) => job.progress.etaSeconds ?? estimate(job, catalog);
  const [busy, read] = [ranked.map(remaining), queued.map(remaining)];
  const mean = read.reduce((total, seconds) => total + seconds, 0) / (read.length || 1);
  const unread = (Math.max(0, ahead - read.length) * mean) / slots;
  return { ahead, startsInSeconds: unread + firstFree(slots, [...busy, ...read]) };
}

/** Time at which a slot is free, if each job takes the slot that is free first. */
function firstFree(slots: number, durations: readonly number[]): number {
  const freeAt = new Array<number>(slots).fill(0);
  for (const seconds of durations) {
    const first = freeAt.indexOf(Math.min(...freeAt));
    freeAt[first]! += seconds;
  }
  return Math.min(...freeAt);
}

function estimate(job: TrainingJob, catalog: Catalog): number {
  const dataset = catalog.summary(job.dataset);
  return dataset ? modelledSeconds(job, layerSizesFor(job.network.hidden, dataset)) : UNKNOWN_SECONDS;
}
