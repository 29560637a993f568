/** Runs queued training jobs, each in a thread. */

import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import type { ExecutionEnvironment } from '../../domain/training/reproducibility.ts';
import { hasCode, isOutOfFiles } from '../../errors.ts';
import type { RunJob } from '../../queue/job-queue.ts';
import { Preemption } from '../../queue/local-runs.ts';
import type { Run } from '../../store/persistent-state.ts';
import { detectEnvironment } from '../../workers/kernel/compile.ts';
import { serializeError } from '../../workers/threads/errors.ts';
import type { TrainingContext } from './context.ts';
import { createRunJob } from './frame.ts';
import { createRetryUntilStored } from './retry-until-stored.ts';
import { assertSpareFiles } from './spare-files.ts';
import { createTrainingRun, type TrainingRun } from './training-reports.ts';

export function createRunTrainingJob(context: TrainingContext): RunJob {
  const { store, catalog, threads, waits, log, runner } = context;
  const environment = detectEnvironment();
  const retryUntilStored = createRetryUntilStored(store, waits, log);

  function describeEnvironment({ dataset: id }: ResolvedTrainingRequest): ExecutionEnvironment | null {
    const dataset = catalog.summary(id);
    return dataset ? { dataset: { id, digest: dataset.digest }, ...environment } : null;
  }

  /** Returns null if the job was paused or cancelled while it was queued, or if its row is damaged. */
  async function start(jobId: string): Promise<Run | null> {
    try {
      return await store.jobs.start(jobId, { detectEnvironment: describeEnvironment, runner });
    } catch (error) {
      if (hasCode(error, 'illegal-transition')) return null;
      throw error;
    }
  }

  /** While a message cannot be stored, later ones wait in order and the thread goes on training. */
  async function train(run: Run, training: TrainingRun, signal: AbortSignal, closing: AbortSignal) {
    const options = { closing, stopping: signal };
    const prepare = async () => {
      if (!signal.aborted) await assertSpareFiles();
      return training.prepare();
    };
    const task = await retryUntilStored(run, prepare, options);
    if (!task) return;
    const thread = threads.run(task, async (message) => {
      await retryUntilStored(run, () => training.handleMessage(message), options);
    });
    // The job may be cancelled between its start in the database and the start of its thread.
    if (signal.aborted || run.job.status !== 'running') thread.stop();
    signal.addEventListener('abort', () => thread.stop(), { once: true });
    await thread.ended;
  }

  async function execute(run: Run, signal: AbortSignal, closing: AbortSignal): Promise<void> {
    const preemptedBy = () => (signal.reason instanceof Preemption ? signal.reason.by : undefined);
    const training = createTrainingRun(run, context, preemptedBy);
    try {
      await train(run, training, signal, closing);
    } catch (error) {
      if (hasCode(error, 'lease-lost')) throw error;
      log.error({ jobId: run.job.id, err: error }, 'failed to record a job');
      // No thread is working on the job any longer, so its status must not stay `running`.
      const end = isOutOfFiles(error) ? training.release : () => training.requeue(serializeError(error));
      await retryUntilStored(run, end, {
        closing,
        isTransient: (failed) => !hasCode(failed, 'illegal-transition', 'lease-lost'),
      });
    }
  }

  return createRunJob({ start, execute, waits, log });
}
