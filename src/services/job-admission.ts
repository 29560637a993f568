/** Admission of queued jobs: the next one starts when its memory is free. */
import type { Catalog } from '../datasets/catalog.ts';
import type { TrainingJob } from '../domain/training-job.ts';
import type { AdmitJob } from '../queue/job-queue.ts';
import { SOLITARY_AFTER_UNCLEAN_ENDS } from '../store/job-status.ts';
import type { Store } from '../store/store.ts';
import { inMebibytes, type MemoryLedger } from './memory-ledger.ts';
import { trainingJobBytes } from './memory-limits.ts';

const NOTHING: Disposable = { [Symbol.dispose]() {} };

export function createJobAdmission({
  jobs,
  catalog,
  memory,
}: {
  jobs: Pick<Store['jobs'], 'get' | 'uncleanEnds' | 'holdForMemory'>;
  catalog: Catalog;
  memory: MemoryLedger;
}): AdmitJob {
  /** Returns null for a job that cannot run; it fails with the reason when it starts. */
  async function requiredBytes(job: TrainingJob): Promise<number | null> {
    const bytes = trainingJobBytes(job, catalog);
    if (bytes === null || bytes > memory.jobBudget) return null;
    // Reserving everything makes the job run alone.
    const isSolitary = (await jobs.uncleanEnds(job.id)) >= SOLITARY_AFTER_UNCLEAN_ENDS;
    return isSolitary ? memory.jobBudget : bytes;
  }

  return async (jobId) => {
    if (jobId === undefined) {
      memory.stopWaiting();
      return null;
    }
    // A damaged job fails when it starts.
    const job = await jobs.get(jobId).catch(() => undefined);
    const bytes = job ? await requiredBytes(job) : null;
    if (!job || bytes === null) return NOTHING;
    // The cache must not count, nor evict, what the reservation includes.
    const retained = catalog.retain(job.dataset);
    const reservation = memory.reserveForJob(bytes);
    if (reservation === null) {
      retained[Symbol.dispose]();
      await jobs.holdForMemory(jobId, waitMessage(bytes, memory));
      return null;
    }
    const admission = new DisposableStack();
    admission.use(retained);
    admission.use(reservation);
    return admission;
  };
}

function waitMessage(bytes: number, { jobBudget }: MemoryLedger): string {
  return (
    `The job takes about ${inMebibytes(bytes)} of memory, and jobs together ${inMebibytes(jobBudget)}. ` +
    'It starts when running jobs and requests have freed enough.'
  );
}
