/** Forecast of the queue: how many jobs start before a new one, and when a slot and memory are free for it. */
import type { Catalog } from '../../datasets/catalog.ts';
import type { TrainingPreview } from '../../domain/jobs/preview.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import type { Store } from '../../store/persistent-state.ts';
import { trainingJobBytes } from '../memory/limits.ts';
import { modelledSeconds } from '../preview/time-model.ts';
import { architectureFor } from '../training/plan.ts';

/** Limit of the jobs that are read from the store. Further queued jobs are assumed to take the mean duration of those read. */
const MAX_ESTIMATED_JOBS = 100;
/** Assumed duration of a job whose data set is unknown. */
const UNKNOWN_SECONDS = 30;

/** Slots and memory for jobs, of all replicas together. */
export interface Capacity {
  /** 0 while no replica runs jobs. */
  readonly slots: number;
  /** Memory of all jobs that run at a time. */
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
  const [ahead, running, queued] = await Promise.all([
    jobs.countAhead(priority),
    jobs.list({ status: 'running', limit: MAX_ESTIMATED_JOBS }),
    jobs.listAhead(priority, MAX_ESTIMATED_JOBS),
  ]);
  if (capacity.slots === 0) return { ahead, startsInSeconds: null };
  // Jobs of lower priority stop for the new one.
  const staying = running.data.filter((job) => job.priority >= priority);
  // A queued job that was stopped before continues where it was, so its progress has an estimate.
  const toWork = (job: TrainingJob): Work => ({
    seconds: job.progress.etaSeconds ?? estimateSeconds(job, catalog),
    // Null if the data set is unknown: the job will fail when it starts.
    bytes: trainingJobBytes(job, catalog) ?? 0,
  });
  const read = queued.map(toWork);
  const mean = read.reduce((total, { seconds }) => total + seconds, 0) / (read.length || 1);
  // As if further jobs kept all slots busy.
  const furtherSeconds = (Math.max(0, ahead - read.length) * mean) / capacity.slots;
  const lastStart = startOfLast([...staying.map(toWork), ...read, { seconds: 0, bytes }], capacity);
  return { ahead, startsInSeconds: furtherSeconds + lastStart };
}

/** Seconds until the last job starts, if jobs start in order, each as soon as a slot and its memory are free. */
function startOfLast(work: readonly Work[], { slots, jobBytes }: Capacity): number {
  let now = 0;
  let running: { readonly end: number; readonly bytes: number }[] = [];
  for (const { seconds, bytes } of work) {
    const fits = () =>
      running.length < slots && running.reduce((sum, each) => sum + each.bytes, bytes) <= jobBytes;
    while (running.length > 0 && !fits()) {
      now = Math.min(...running.map(({ end }) => end));
      running = running.filter(({ end }) => end > now);
    }
    running.push({ end: now + seconds, bytes });
  }
  return now;
}

function estimateSeconds(job: TrainingJob, catalog: Catalog): number {
  const dataset = catalog.summary(job.dataset);
  return dataset ? modelledSeconds(job, architectureFor(job.network, dataset)) : UNKNOWN_SECONDS;
}
