/** Runs prediction jobs in a worker thread, and stores their results. */
import { rm } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Catalog } from '../../datasets/catalog.ts';
import type { VersionReference } from '../../domain/models/reference.ts';
import { AtelierError, hasCode, isOutOfFiles, messageWithoutPaths } from '../../errors.ts';
import type { JudgementTally } from '../../numerics/calibration/judge.ts';
import type { RunJob } from '../../queue/job-queue.ts';
import type { PredictionRun, Store } from '../../store/persistent-state.ts';
import type { NumericPool } from '../../workers/pools.ts';
import type { PredictedImages, PredictionTask } from '../../workers/tasks/predict-images.ts';
import type { JobLogger } from '../events/log.ts';
import type { CalibrationService } from '../inspection/calibrations.ts';
import { type ModelService, servedNetwork } from '../models/catalog.ts';
import { createRunJob } from './frame.ts';
import { isUnavailable, RETRY_MS, repeatWhile } from './repeat.ts';
import { createRetryUntilStored } from './retry-until-stored.ts';
import { assertSpareFiles } from './spare-files.ts';
import type { Waits } from './waits.ts';

const PROGRESS_MS = 1000;
/** Runs of a job whose thread crashes each time. */
const MAX_RUNS = 3;

/**
 * @param options.pool reserves the memory of a task
 * @param options.onJudged called with the judgements of each job that has a coverage, once they are stored
 * @param options.runner id of this replica
 */
export function createRunPredictionJob(options: {
  store: Pick<Store, 'predictionJobs' | 'temporaryFiles' | 'withReserve'>;
  catalog: Catalog;
  models: ModelService;
  calibrations: Pick<CalibrationService, 'load'>;
  pool: NumericPool;
  waits: Waits<'memory'>;
  storageWaits: Waits<'storage'>;
  log: JobLogger;
  onJudged: (model: VersionReference, classes: number, judged: JudgementTally) => void;
  runner?: string | undefined;
}): RunJob {
  const { store, catalog, models, calibrations, pool, waits, storageWaits, log, onJudged, runner } = options;
  const { predictionJobs, temporaryFiles } = store;
  const retryUntilStored = createRetryUntilStored(store, storageWaits, log);

  /** A full disk fails the job. */
  async function storeOutcome(
    run: PredictionRun,
    write: () => Promise<void>,
    closing: AbortSignal,
  ): Promise<void> {
    const isTransient = (error: unknown) => isUnavailable(error) || isOutOfFiles(error);
    await retryUntilStored(run, write, { closing, isTransient });
  }

  /** Predicts, and stores the result. */
  async function predict(run: PredictionRun, signal: AbortSignal, closing: AbortSignal): Promise<void> {
    const { id, model, dataset, split, pixels, coverage } = run.job;
    await repeatWhile(isOutOfFiles, assertSpareFiles, {
      until: signal,
      onFirst: (err) => log.warn({ jobId: id, err }, 'a prediction job waits until it can open files'),
    });
    await using files = createFiles(temporaryFiles.newFile);
    const network = servedNetwork(await models.load(model.name, model.version));
    const target = files.add();
    const progress = new Int32Array(new SharedArrayBuffer(4));
    const labels = dataset === null ? null : files.add();
    const judging =
      coverage === null
        ? null
        : { calibration: await calibrations.load(model, signal), coverage, target: files.add() };
    const whenFree = <T>(work: () => Promise<T>) => untilFree(id, work, signal);

    async function predictImages(): Promise<PredictedImages> {
      using _progress = recordProgress(run, progress);
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
      const task = { network, input, target, progress, judging };
      return await whenFree(() => pool.run('predictImages', task, signal));
    }

    const counts = await predictImages();
    const results = { probabilities: target, labels, judgements: judging?.target ?? null };
    await storeOutcome(run, () => run.succeed(results, counts), closing);
    if (counts.judged !== null) onJudged(model, counts.classes.length, counts.judged);
  }

  /** Repeats `work` while its memory is not free. */
  async function untilFree<T>(id: string, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    using waiting = new DisposableStack();
    return await repeatWhile((error) => hasCode(error, 'overloaded'), work, {
      until: signal,
      onFirst: () => waiting.use(waits.add(id)),
    });
  }

  async function end(
    run: PredictionRun,
    error: unknown,
    signal: AbortSignal,
    closing: AbortSignal,
  ): Promise<void> {
    const isStopped = signal.aborted && !closing.aborted;
    // Refused for a paused or cancelled job. A job that was resumed while its pause was still being committed runs again.
    if (isStopped) return run.release().catch(() => {});
    if (hasCode(error, 'lease-lost')) throw error;
    const isWithoutFiles = isOutOfFiles(error);
    // The next run waits until it can open files.
    if (isWithoutFiles) await wait(RETRY_MS, undefined, { signal }).catch(() => {});
    const mayRepeat = hasCode(error, 'worker-crashed') && run.job.attempts < MAX_RUNS;
    if (closing.aborted || mayRepeat || isUnavailable(error) || isWithoutFiles) {
      return storeOutcome(run, run.release, closing);
    }
    const failure =
      error instanceof AtelierError
        ? { code: error.code, message: error.message }
        : { code: 'internal-error', message: messageWithoutPaths(error) };
    log.warn({ jobId: run.job.id, err: error }, 'a prediction job failed');
    await storeOutcome(run, () => run.fail(failure), closing);
  }

  async function execute(run: PredictionRun, signal: AbortSignal, closing: AbortSignal): Promise<void> {
    const { id, model, images } = run.job;
    log.info({ jobId: id, model, images }, 'a prediction job runs');
    try {
      await predict(run, signal, closing);
      log.info({ jobId: id }, 'a prediction job succeeded');
    } catch (error) {
      await end(run, error, signal, closing);
    }
  }

  return createRunJob({
    start: (jobId) => predictionJobs.start(jobId, runner),
    execute,
    waits: storageWaits,
    log,
  });
}

/** Stores the progress every second until the disposal. */
function recordProgress(run: PredictionRun, progress: Int32Array): Disposable {
  const timer = setInterval(() => {
    // If it fails, it is repeated a second later.
    run.recordProgress(Atomics.load(progress, 0)).catch(() => {});
  }, PROGRESS_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
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
