/** Runs prediction jobs in a worker thread, and stores their results. */
import { rm } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import type { Catalog } from '../../datasets/catalog.ts';
import { AtelierError, hasCode, messageWithoutPaths } from '../../errors.ts';
import type { RunJob } from '../../queue/job-queue.ts';
import type { PredictionRun, Store } from '../../store/persistent-state.ts';
import type { NumericTasks } from '../../workers/messages/by-pool.ts';
import type { PredictionTask } from '../../workers/messages/shapes.ts';
import type { Pool } from '../../workers/threads/pool.ts';
import { type ModelService, servedNetwork } from '../models/catalog.ts';
import type { MemoryWaits } from '../queueing/memory-waits.ts';

const PROGRESS_MS = 1000;
const RETRY_MS = 1000;
/** Runs of a job whose thread crashes each time. */
const MAX_ATTEMPTS = 3;

/**
 * @param options.pool reserves the memory of a task
 * @param options.runner id of this replica
 */
export function createRunPredictions(options: {
  store: Pick<Store, 'predictionJobs' | 'temporaryFiles'>;
  catalog: Catalog;
  models: ModelService;
  pool: Pool<NumericTasks>;
  waits: MemoryWaits;
  log: Pick<FastifyBaseLogger, 'info' | 'warn'>;
  runner?: string | undefined;
}): RunJob {
  const { store, catalog, models, pool, waits, log, runner } = options;
  const { predictionJobs, temporaryFiles } = store;

  /** Predicts, and stores the result. */
  async function predict(run: PredictionRun, signal: AbortSignal, closing: AbortSignal): Promise<void> {
    const { id, model, dataset, split, pixels } = run.job;
    await using files = createFiles(temporaryFiles.newFile);
    const network = servedNetwork(await models.load(model.name, model.version));
    const target = files.add();
    const progress = new Int32Array(new SharedArrayBuffer(4));
    const labels = dataset === null ? null : files.add();
    const counts = await withProgress(run, progress, signal, async (abort) => {
      const whenFree = <T>(work: () => Promise<T>) => untilFree(id, work, abort);
      using retained = new DisposableStack();
      let input: PredictionTask['input'];
      if (dataset !== null && split !== null && labels !== null) {
        retained.use(catalog.retain(dataset));
        const examples = (await whenFree(() => catalog.get(dataset)))?.[split];
        if (!examples) throw new AtelierError('unknown-dataset', `Data set ${dataset} no longer exists.`);
        input = { examples, labelsTarget: labels };
      } else {
        const path = files.add();
        await predictionJobs.copyFile((await predictionJobs.digest(id, 'input'))!, path);
        input = { path, scale: pixels! };
      }
      const task = { network, input, target, progress };
      return whenFree(() => pool.run('predictImages', task, abort));
    });
    await untilAvailable(() => run.succeed({ probabilities: target, labels }, counts), closing);
  }

  /** Repeats `work` while its memory is not free. */
  async function untilFree<T>(id: string, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        if (!hasCode(error, 'overloaded')) throw error;
        using _waiting = waits.add(id);
        await wait(RETRY_MS, undefined, { signal });
      }
    }
  }

  /** Stores the progress every second, and aborts if another run has taken over the job, or it was cancelled. */
  async function withProgress<T>(
    run: PredictionRun,
    progress: Int32Array,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const lost = new AbortController();
    const timer = setInterval(() => {
      run.recordProgress(Atomics.load(progress, 0)).catch((error) => {
        // Anything else is repeated a second later.
        if (hasCode(error, 'lease-lost')) lost.abort(error);
      });
    }, PROGRESS_MS).unref();
    try {
      return await work(AbortSignal.any([signal, lost.signal]));
    } finally {
      clearInterval(timer);
    }
  }

  async function end(
    run: PredictionRun,
    error: unknown,
    signal: AbortSignal,
    closing: AbortSignal,
  ): Promise<void> {
    const isCancelled = signal.aborted && !closing.aborted;
    if (isCancelled || hasCode(error, 'lease-lost')) return;
    const mayRepeat = hasCode(error, 'worker-crashed') && run.job.attempts < MAX_ATTEMPTS;
    if (closing.aborted || mayRepeat || hasCode(error, 'storage-unavailable')) {
      return untilAvailable(() => run.release(), closing);
    }
    const failure =
      error instanceof AtelierError
        ? { code: error.code, message: error.message }
        : { code: 'internal-error', message: messageWithoutPaths(error) };
    log.warn({ jobId: run.job.id, err: error }, 'a prediction job failed');
    await untilAvailable(() => run.fail(failure), closing);
  }

  return async (id, signal, closing) => {
    const run = await predictionJobs.start(id, runner);
    if (run === null) return;
    try {
      log.info({ jobId: id, model: run.job.model, images: run.job.images }, 'a prediction job runs');
      await predict(run, signal, closing);
      log.info({ jobId: id }, 'a prediction job succeeded');
    } catch (error) {
      await end(run, error, signal, closing).catch((lost) => {
        if (!hasCode(lost, 'lease-lost')) throw lost;
      });
    }
  };
}

/** Repeats `write` while the database or the object store cannot be reached. */
async function untilAvailable(write: () => Promise<void>, closing: AbortSignal): Promise<void> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!hasCode(error, 'storage-unavailable') || closing.aborted) throw error;
      await wait(RETRY_MS, undefined, { signal: closing });
    }
  }
}

/** Temporary files, removed together. */
function createFiles(newFile: () => string): AsyncDisposable & { add(): string } {
  const paths: string[] = [];
  return {
    add() {
      const path = newFile();
      paths.push(path);
      return path;
    },
    async [Symbol.asyncDispose]() {
      for (const path of paths) await rm(path, { force: true });
    },
  };
}
