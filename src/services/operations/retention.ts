/** Housekeeping: deletes what is no longer kept, at the start and once an hour. */
import type { Store } from '../../store/persistent-state.ts';

const EVERY_MS = 60 * 60 * 1000;
const DAY_MS = 24 * EVERY_MS;

/**
 * @param options.keepEventsDays days from the end of a job until its events are deleted; null keeps them
 * @param options.keepCheckpointsDays the same for its checkpoints
 * @param options.keepJobsDays the same for whole jobs and searches
 * @param options.tasks further tasks of the store, run first
 * @param options.onDefect called if a task failed; the next attempt follows within the hour
 */
export function createRetentionService(options: {
  retention: Store['retention'];
  keepEventsDays: number | null;
  keepCheckpointsDays: number | null;
  keepJobsDays: number | null;
  tasks?: Store['hourlyTasks'];
  /** Deletes searches that ended before a time. */
  removeSearches?: (endedBefore: Date, signal: AbortSignal) => Promise<void>;
  onDefect: (error: unknown) => void;
  now?: () => Date;
}) {
  const {
    retention,
    keepEventsDays,
    keepCheckpointsDays,
    keepJobsDays,
    removeSearches,
    onDefect,
    now = () => new Date(),
  } = options;
  const stop = new AbortController();
  // Ids of jobs hold no times before 1970, and a hundred years ago is earlier.
  const daysAgo = (days: number) => new Date(Math.max(0, now().getTime() - days * DAY_MS));
  const tasks = [...(options.tasks ?? [])];
  if (keepEventsDays !== null) {
    tasks.push((signal) => retention.deleteEvents(daysAgo(keepEventsDays), signal));
  }
  if (keepCheckpointsDays !== null) {
    tasks.push((signal) => retention.deleteCheckpoints(daysAgo(keepCheckpointsDays), signal));
  }
  if (keepJobsDays !== null) {
    tasks.push((signal) => retention.deleteJobs(daysAgo(keepJobsDays), signal));
    if (removeSearches) tasks.push((signal) => removeSearches(daysAgo(keepJobsDays), signal));
  }

  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function runTasks(): Promise<void> {
    for (const task of tasks) {
      if (stop.signal.aborted) return;
      await task(stop.signal).catch(onDefect);
    }
  }

  /** A run that takes longer than an hour goes on instead of a second one. */
  function run(): Promise<void> {
    running ??= runTasks().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    /** Resolves after the first run. Callers need not await it. */
    start() {
      if (tasks.length > 0) timer = setInterval(run, EVERY_MS).unref();
      return run();
    },
    /** Stops after the current batch. */
    async close() {
      clearInterval(timer);
      stop.abort();
      await running;
    },
  };
}
