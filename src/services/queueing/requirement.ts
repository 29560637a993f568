/** The memory that a queued job reserves before it starts. */
import type { Catalog } from '../../datasets/catalog.ts';
import { hasCode } from '../../errors.ts';
import { SOLITARY_AFTER_UNCLEAN_ENDS } from '../../store/jobs/status.ts';
import type { Store } from '../../store/persistent-state.ts';
import { inMebibytes, type MemoryLedger } from '../memory/ledger.ts';
import { trainingJobBytes } from '../memory/limits.ts';

export interface JobRequirement {
  readonly dataset: string;
  readonly bytes: number;
  /** Sentence for a job that must wait. */
  readonly reason: string;
}

/** Returns null for a job that cannot run; it fails with the reason when it starts. */
export type ReadJobRequirement = (jobId: string) => Promise<JobRequirement | null>;

export function createJobRequirement({
  jobs,
  catalog,
  memory,
}: {
  jobs: Pick<Store['jobs'], 'get' | 'uncleanEnds'>;
  catalog: Catalog;
  memory: MemoryLedger;
}): ReadJobRequirement {
  return async (jobId) => {
    const job = await jobs.get(jobId).catch((error) => {
      if (hasCode(error, 'storage-unavailable')) throw error;
      return undefined; // A damaged job fails when it starts.
    });
    if (!job) return null;
    // The estimate needs the data set. Another process may just have added it.
    await catalog.find(job.dataset);
    const { dataset } = job;
    const bytes = trainingJobBytes(job, catalog);
    if (bytes === null || bytes > memory.jobBudget) return null;
    if ((await jobs.uncleanEnds(job.id)) < SOLITARY_AFTER_UNCLEAN_ENDS) {
      const reason = `The job takes about ${inMebibytes(bytes)} of memory, and jobs together ${inMebibytes(memory.jobBudget)}.`;
      return { dataset, bytes, reason };
    }
    // Reserving everything makes the job run alone.
    const reason = `The job runs alone, because the process ended at least ${SOLITARY_AFTER_UNCLEAN_ENDS} times while it ran.`;
    return { dataset, bytes: memory.jobBudget, reason };
  };
}
