/** Forecast of the queue: how many jobs start before a new one, and when a slot and memory are free for it. */
import type { Catalog } from '../../datasets/catalog.ts';
import type { TrainingPreview } from '../../domain/jobs/preview.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import type { Store } from '../../store/persistent-state.ts';
import { trainingJobBytes } from '../memory/limits.ts';
import { modelledSeconds } from '../preview/time-model.ts';
import { layerSizesFor } from '../training/plan.ts';

/** Jobs whose durations are estimated; more take as long on average. */
const MAX_READ = 100;
/** Assumed duration of a job whose data set is unknown. */
const UNKNOWN_SECONDS = 30;

/** Slots and memory for jobs, of all replicas together. */
export interface Capacity {
  readonly slots: number;
  readonly jobBytes: number;
}

interface Work {
  readonly seconds: number;
  readonly bytes: number;
}

/** @param job the new one, queued behind earlier jobs of the same priority */
export async function forecastQueue(
  { priority, bytes }: { priority: number; bytes: number },
  {
    jobs,
    catalog,
    capacity,
  }: {
    jobs: Pick<Store['jobs'], 'list' | 'countAhead' | 'listAhead'>;
    catalog: Catalog;
    capacity: Capacity;
  },
): Promise<TrainingPreview['queue']> {
  const limit = MAX_READ;
  const [ahead, running, queued] = await Promise.all([
    jobs.countAhead(priority),
    jobs.list({ status: 'running', limit }),
    jobs.listAhead(priority, limit),
  ]);
  if (capacity.slots === 0) return { ahead, startsInSeconds: null };
  // Jobs of lower priority stop for the new one.
  const ranked = running.data.filter((job) => job.priority >= priority);
  // A queued job that was stopped continues where it was.
  const toWork = (job: TrainingJob): Work => ({
    seconds: job.progress.etaSeconds ?? estimate(job, catalog),
    bytes: trainingJobBytes(job, catalog) ?? 0,
  });
  const read = queued.map(toWork);
  const mean = read.reduce((total, { seconds }) => total + seconds, 0) / (read.length || 1);
  const unread = (Math.max(0, ahead - read.length) * mean) / capacity.slots;
  const starts = startOfLast([...ranked.map(toWork), ...read, { seconds: 0, bytes }], capacity);
  return { ahead, startsInSeconds: unread + starts };
}

/** Time at which the last job starts, if each is waiting for the one before it, for a slot and for its memory. */
function startOfLast(work: readonly Work[], { slots, jobBytes }: Capacity): number {
  let now = 0;
  let running: { readonly end: number; readonly bytes: number }[] = [];
  for (const { seconds, bytes } of work) {
    const isFree = () =>
      running.length < slots && running.reduce((sum, each) => sum + each.bytes, bytes) <= jobBytes;
    while (running.length > 0 && !isFree()) {
      now = Math.min(...running.map(({ end }) => end));
      running = running.filter(({ end }) => end > now);
    }
    running.push({ end: now + seconds, bytes });
  }
  return now;
}

function estimate(job: TrainingJob, catalog: Catalog): number {
  const dataset = catalog.summary(job.dataset);
  return dataset ? modelledSeconds(job, layerSizesFor(job.network.hidden, dataset)) : UNKNOWN_SECONDS;
}
