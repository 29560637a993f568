/** Runs searches: does what is due whenever a trial ends or pauses, and looks after searches of lost processes. */
import type { Catalog } from '../../datasets/catalog.ts';
import type { Dataset } from '../../domain/datasets/representation.ts';
import type { KeptCheckpoints, TrainingRequest } from '../../domain/jobs/request.ts';
import { isActive, type JobStatus } from '../../domain/jobs/status.ts';
import { describeConflicts, parseTrial } from '../../domain/searches/conflicts.ts';
import type { Search } from '../../domain/searches/representation.ts';
import type { Setting } from '../../domain/searches/settings.ts';
import { AtelierError, hasCode } from '../../errors.ts';
import type { JobQueue } from '../../queue/job-queue.ts';
import { createPasses } from '../../queue/passes.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { SearchJobs } from '../../store/searches/actions.ts';
import { findDataset } from '../datasets/find.ts';
import type { JobLogger } from '../events/log.ts';
import { isStorageOutage } from '../runs/repeat.ts';
import { fillDefaults, initialProgress } from '../training/resolve-request.ts';

export type SearchRunner = ReturnType<typeof createSearchRunner>;

/** Finds what another process has left, for example a trial that ended just before the process was killed. */
const SWEEP_MS = 5_000;

export function createSearchRunner(options: {
  store: Pick<Store, 'searches' | 'events'>;
  catalog: Catalog;
  queue: Pick<JobQueue, 'notify' | 'stop'>;
  keepCheckpoints: KeptCheckpoints;
  /** Number of jobs that run at once, on all replicas together. */
  slots: () => number;
  log: JobLogger;
}) {
  const { store, catalog, queue, slots, log } = options;
  const { searches } = store;
  const due = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  /** One search at a time, because all of them lock the queue. */
  const advances = createPasses(
    async () => {
      for (const id of due) {
        if (isClosed) return;
        due.delete(id);
        await advance(id).catch((err) => log.error({ searchId: id, err }, 'failed to advance a search'));
      }
    },
    (err) => log.error({ err }, 'failed to advance searches'),
  );

  function notify(id: string): void {
    due.add(id);
    advances.request();
  }

  async function advance(id: string): Promise<void> {
    const search = await searches.get(id);
    if (search === undefined) return;
    try {
      const dataset = await findOrReport(search);
      const jobs = createSearchJobs(search, dataset, options.keepCheckpoints, slots());
      for (let isMore = true; isMore && !isClosed; ) {
        const advanced = await searches.advance(id, jobs);
        for (const jobId of advanced.stopping) queue.stop(jobId);
        queue.notify();
        ({ isMore } = advanced);
      }
    } catch (error) {
      if (hasCode(error, 'search-not-found')) return;
      // A job has changed between reading its status and changing it: the next sweep sees its new status.
      const isRace = hasCode(error, 'illegal-transition');
      if (!(error instanceof AtelierError) || isRace || isStorageOutage(error)) throw error;
      log.warn({ searchId: id, err: error }, 'a search cannot go on');
      await searches.fail(id, error);
      due.add(id);
    }
  }

  /** A search whose data set is gone can still be cancelled. */
  async function findOrReport({ dataset: id }: Search): Promise<() => Dataset> {
    try {
      const dataset = await findDataset(catalog, id, '#/dataset');
      return () => dataset;
    } catch (error) {
      if (!hasCode(error, 'unknown-dataset')) throw error;
      return () => {
        throw error;
      };
    }
  }

  const sweeps = createPasses(
    async () => {
      for (const id of await searches.unsettled()) notify(id);
    },
    (err) => log.warn({ err }, 'failed to look for searches'),
  );

  store.events.onCommitted((_, events) => {
    for (const { type, data, job } of events) {
      if (type !== 'status' || job === null || job.searchId === null) continue;
      const to = data['to'] as JobStatus;
      if (to !== 'queued' && !isActive(to)) notify(job.searchId);
    }
  });

  return {
    /** Does soon what is due in a search. */
    notify,
    /** Continues the searches that have not ended. */
    start() {
      timer = setInterval(sweeps.request, SWEEP_MS).unref();
      sweeps.request();
    },
    /** Resolves when the transaction in progress has ended. */
    async close() {
      isClosed = true;
      clearInterval(timer);
      await Promise.all([sweeps.close(), advances.close()]);
    },
  };
}

function createSearchJobs(
  search: Search,
  dataset: () => Dataset,
  keepCheckpoints: KeptCheckpoints,
  slots: number,
): SearchJobs {
  function trialRequest(setting: Setting, repeat: number, checksGradient: boolean): TrainingRequest {
    const parsed = parseTrial({ ...search, seed: search.seed + repeat }, setting, 0);
    if ('request' in parsed) {
      return { ...parsed.request, gradientCheck: search.gradientCheck && checksGradient };
    }
    // An earlier release has accepted the request.
    const reasons = describeConflicts(parsed.conflicts.slice(0, 1));
    throw new AtelierError('impossible-request', `This release cannot train a trial. ${reasons}`);
  }
  function resolve(request: TrainingRequest) {
    const resolved = fillDefaults(request, dataset(), keepCheckpoints);
    return { request: resolved, progress: initialProgress(resolved, dataset()) };
  }

  return {
    parallel: search.parallel ?? Math.max(1, slots),
    now: () => new Date(),
    trialJob: (setting, repeat, checksGradient) => resolve(trialRequest(setting, repeat, checksGradient)),
    finalJob(setting, epoch) {
      const { trainOn, testSet, publish } = search.final;
      const request: TrainingRequest = { ...trialRequest(setting, 0, false), testSet, publish };
      if (trainOn === 'training-part') return { ...resolve(request), stopAfterEpoch: null };
      const { training } = request;
      const everything = {
        ...training,
        validation: null,
        // Stored only where it matters.
        ...(dataset().validation && { trainOnValidation: true }),
        earlyStopping: null,
        budget: null,
      };
      return {
        ...resolve({ ...request, training: everything }),
        stopAfterEpoch: epoch !== null && epoch < training.epochs ? epoch : null,
      };
    },
  };
}
