/** The frame of a run, for jobs of every kind: its start, and its end without a result if the job has been taken over. */
import { hasCode } from '../../errors.ts';
import type { RunJob } from '../../queue/job-queue.ts';
import type { JobLogger } from '../events/log.ts';
import { isStorageOutage, repeatWhile } from './repeat.ts';
import type { Waits } from './waits.ts';

/**
 * @param options.start returns null if the job is no longer queued, or if its row is damaged. If an earlier call has started
 *   the job although its connection was lost, the queue recovers that run, because no runner works on it.
 * @param options.execute works until the job has ended or `signal` aborts, and stores the outcome
 */
export function createRunJob<Run extends { readonly run: number }>({
  start,
  execute,
  waits,
  log,
}: {
  start: (jobId: string) => Promise<Run | null>;
  execute: (run: Run, signal: AbortSignal, closing: AbortSignal) => Promise<void>;
  waits: Waits<'storage'>;
  log: JobLogger;
}): RunJob {
  async function tryStart(jobId: string, closing: AbortSignal): Promise<Run | null> {
    using waiting = new DisposableStack();
    return await repeatWhile(isStorageOutage, () => start(jobId), {
      until: closing,
      onFirst(error) {
        log.warn({ jobId, err: error }, 'failed to start a job, retrying');
        waiting.use(waits.add(jobId));
      },
    });
  }

  return async (jobId, signal, closing) => {
    const run = await tryStart(jobId, closing);
    if (run === null) return;
    try {
      await execute(run, signal, closing);
    } catch (error) {
      if (!hasCode(error, 'lease-lost')) throw error;
      const details = { jobId, run: run.run };
      log.warn(details, 'the job has been taken over, so this run ends without a result');
    }
  };
}
