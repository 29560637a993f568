/** Admission of queued jobs: the next one starts when its memory is free. */
import type { Catalog } from '../../datasets/catalog.ts';
import type { AdmitJob } from '../../queue/job-queue.ts';
import { NOTHING } from '../../queue/local-runs.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { MemoryLedger } from '../memory/ledger.ts';
import { createPatience } from './patience.ts';
import type { ReadJobRequirement } from './requirement.ts';

/**
 * @param options.hasPeerFor whether another process may run a job that takes this much memory, free or not
 * @param options.patienceMs time after which the job is known to be waiting for memory on the other processes as well
 */
export function createJobAdmission({
  jobs,
  catalog,
  memory,
  readRequirement,
  hasPeerFor = () => false,
  patienceMs,
}: {
  jobs: Pick<Store['jobs'], 'holdForMemory'>;
  catalog: Catalog;
  memory: MemoryLedger;
  readRequirement: ReadJobRequirement;
  hasPeerFor?: (bytes: number) => boolean;
  patienceMs?: number;
}): AdmitJob {
  const isPatient = createPatience(patienceMs);

  return async (jobId) => {
    const required = await readRequirement(jobId);
    if (required === null) return NOTHING;
    const { dataset, bytes, reason } = required;
    // The cache must not count, nor evict, what the reservation includes.
    const retained = catalog.retain(dataset);
    const reservation = memory.reserveForJob(bytes);
    if (reservation === null) {
      retained[Symbol.dispose]();
      // Another process may start the job in the meantime.
      if (hasPeerFor(bytes) && isPatient(jobId)) return null;
      const start = 'It starts when running jobs and requests have freed enough.';
      await jobs.holdForMemory(jobId, `${reason} ${start}`);
      return null;
    }
    const admission = new DisposableStack();
    admission.use(retained);
    admission.use(reservation);
    return { bytes, [Symbol.dispose]: () => admission.dispose() };
  };
}
