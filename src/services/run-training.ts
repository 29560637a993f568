/** Runs queued training jobs, each in a thread of its own. */
import type { ExecutionEnvironment } from '../domain/reproducibility.ts';
import type { ResolvedTrainingRequest, TrainingJob } from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import type { RunJob } from '../queue/job-queue.ts';
import { detectEnvironment } from '../workers/kernel.ts';
import { serializeError } from '../workers/outcome.ts';
import { startTrainingThread } from '../workers/training-thread.ts';
import { createRetryWhileStorageFull } from './retry-while-storage-full.ts';
import { createTrainingRun, type TrainingContext, type TrainingRun } from './training-run.ts';

export function createRunTraining(context: TrainingContext): RunJob {
  const { store, catalog, log } = context;
  const environment = detectEnvironment();
  const retryWhileStorageFull = createRetryWhileStorageFull(store, log);

  function describeEnvironment({ dataset: id }: ResolvedTrainingRequest): ExecutionEnvironment | null {
    const dataset = catalog.summary(id);
    return dataset ? { dataset: { id, digest: dataset.digest }, ...environment } : null;
  }

  /** Returns null if the job was paused or cancelled while it was queued, or if its row is damaged. */
  async function tryStart(jobId: string): Promise<TrainingJob | null> {
    try {
      return await store.jobs.start(jobId, describeEnvironment);
    } catch (error) {
      if (isIllegalTransition(error)) return null;
      throw error;
    }
  }

  /** While a message cannot be stored, later ones wait in order and the thread goes on training. */
  async function train(jobId: string, run: TrainingRun, signal: AbortSignal, closing: AbortSignal) {
    const task = await run.prepare();
    if (task === null) return;
    const thread = startTrainingThread(task, (message) =>
      retryWhileStorageFull(jobId, () => run.handleMessage(message), { closing, stopping: signal }),
    );
    // The job may be cancelled between its start in the database and the start of its thread.
    if (signal.aborted) thread.stop();
    signal.addEventListener('abort', () => thread.stop(), { once: true });
    await thread.ended;
  }

  return async (jobId, signal, closing) => {
    const job = await tryStart(jobId);
    if (job === null) return;
    const run = createTrainingRun(job, context);
    try {
      await train(jobId, run, signal, closing);
    } catch (error) {
      log.error({ jobId, err: error }, 'failed to record a job');
      // No thread works on the job any more, so its status must not stay `running`.
      await retryWhileStorageFull(jobId, () => run.requeue(serializeError(error)), {
        closing,
        isTransient: (failed) => !isIllegalTransition(failed),
      });
    }
  };
}

function isIllegalTransition(error: unknown): boolean {
  return error instanceof AtelierError && error.code === 'illegal-transition';
}
