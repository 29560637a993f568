/** Admission of queued jobs: the next one starts when its memory is free. */
import type { Catalog } from '../datasets/catalog.ts';
import type { TrainingJob } from '../domain/training-job.ts';
import { hasCode } from '../errors.ts';
import type { AdmitJob } from '../queue/job-queue.ts';
import { SOLITARY_AFTER_UNCLEAN_ENDS } from '../store/job-status.ts';
import type { Store } from '../store/store.ts';
import { inMebibytes, type MemoryLedger } from './memory-ledger.ts';
import { trainingJobBytes } from './memory-limits.ts';

const NOTHING: Disposable = { [Symbol.dispose]() {} };

/** @param options.hasPeerFor whether another process may run a job that takes this much memory */
export function createJobAdmission({
  jobs,
  catalog,
  memory,
  hasPeerFor = () => false,
}: {
  jobs: Pick<Store['jobs'], 'get' | 'uncleanEnds' | 'holdForMemory'>;
  catalog: Catalog;
  memory: MemoryLedger;
  hasPeerFor?: (bytes: number) => boolean;
}): AdmitJob {
  /** Returns null for a job that cannot run; it fails with the reason when it starts. */
  async function requirement(job: TrainingJob): Promise<{ bytes: number; reason: string } | null> {
    const bytes = trainingJobBytes(job, catalog);
    if (bytes === null || bytes > memory.jobBudget) return null;
    if ((await jobs.uncleanEnds(job.id)) < SOLITARY_AFTER_UNCLEAN_ENDS) {
      const reason = `The job takes about ${inMebibytes(bytes)} of memory, and jobs together ${inMebibytes(memory.jobBudget)}.`;
      return { bytes, reason };
    }
    // Reserving everything makes the job run alone.
    const reason = `The job runs alone, because the process ended at least ${SOLITARY_AFTER_UNCLEAN_ENDS} times while it ran.`;
    return { bytes: memory.jobBudget, reason };
  }

  return async (jobId) => {
    if (jobId === undefined) {
      memory.stopWaiting();
      return null;
    }
    const job = await jobs.get(jobId).catch((error) => {
      if (hasCode(error, 'storage-unavailable')) throw error;
      return undefined; // A damaged job fails when it starts.
    });
    // The estimate needs the data set, which another process may just have added.
    if (job) await catalog.find(job.dataset);
    const required = job ? await requirement(job) : null;
    if (!job || required === null) return NOTHING;
    // The cache must not count, nor evict, what the reservation includes.
    const retained = catalog.retain(job.dataset);
    const reservation = memory.reserveForJob(required.bytes);
    if (reservation === null) {
      retained[Symbol.dispose]();
      // A peer may have enough free memory; then it starts the job in the meantime.
      if (hasPeerFor(required.bytes)) return null;
      const start = 'It starts when running jobs and requests have freed enough.';
      await jobs.holdForMemory(jobId, `${required.reason} ${start}`);
      return null;
    }
    const admission = new DisposableStack();
    admission.use(retained);
    admission.use(reservation);
    return admission;
  };
}
