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

/** A process with free memory starts a job within this time: it looks at the queue every second. */
const PEER_PATIENCE_MS = 3_000;

/**
 * @param options.hasPeerFor whether another process may run a job that takes this much memory, free or not
 * @param options.patienceMs time after which the job is known to wait for memory on the other processes, too
 */
export function createJobAdmission({
  jobs,
  catalog,
  memory,
  hasPeerFor = () => false,
  patienceMs = PEER_PATIENCE_MS,
}: {
  jobs: Pick<Store['jobs'], 'get' | 'uncleanEnds' | 'holdForMemory'>;
  catalog: Catalog;
  memory: MemoryLedger;
  hasPeerFor?: (bytes: number) => boolean;
  patienceMs?: number;
}): AdmitJob {
  /** The job that did not fit the last time, and since when. */
  let refused = { jobId: '', at: 0 };

  /** Whether another process may start the job in the meantime. */
  function isLeftToPeers(jobId: string, bytes: number): boolean {
    if (!hasPeerFor(bytes)) return false;
    if (refused.jobId !== jobId) refused = { jobId, at: performance.now() };
    return performance.now() - refused.at < patienceMs;
  }

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
      if (isLeftToPeers(jobId, required.bytes)) return null;
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
