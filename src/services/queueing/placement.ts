/** Placement of queued jobs: which ones this replica leaves to others. */
import type { Catalog } from '../../datasets/catalog.ts';
import type { Arithmetic } from '../../domain/training/reproducibility.ts';
import { decodeReadable } from '../../store/database/json-column.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { Replica, Replicas } from '../../store/postgres/replicas/processes.ts';
import type { QueuedJob } from '../../store/runs/queue-order.ts';
import { trainingJobBytes } from '../memory/limits.ts';
import type { Capacity } from './forecast.ts';

export type JobPlacement = ReturnType<typeof createJobPlacement>;
export type PeerPlacement = Pick<JobPlacement, 'peersFor'>;

const runsJobs = ({ slots }: Replica) => slots > 0;

/** Jobs that run at once on all live replicas, and the memory for them. */
export function sharedCapacity({ live }: Pick<Replicas, 'live'>): Capacity {
  const workers = live().filter(runsJobs);
  return {
    slots: workers.reduce((sum, { slots }) => sum + slots, 0),
    jobBytes: workers.reduce((sum, { jobBytes }) => sum + jobBytes, 0),
  };
}

export function createJobPlacement(options: {
  replicas: Pick<Replicas, 'id' | 'live'>;
  jobs: Pick<Store['jobs'], 'get'>;
  catalog: Catalog;
}) {
  const { replicas, jobs, catalog } = options;
  const isSelf = ({ id }: Replica) => id === replicas.id;
  const workers = () => replicas.live().filter(runsJobs);

  /** A damaged job fails when it starts, on any replica. */
  async function loadSize(id: string): Promise<number> {
    const job = await jobs.get(id).catch(() => undefined);
    return (job && trainingJobBytes(job, catalog)) ?? 0;
  }

  async function suitableFor({ id, origin }: Pick<QueuedJob, 'id' | 'origin'>): Promise<readonly Replica[]> {
    const all = workers();
    if (all.every((replica) => isAlike(replica, all[0]!))) return all;
    const bytes = await loadSize(id);
    const large = all.filter(({ jobBytes }) => jobBytes >= bytes);
    const matching = large.filter(({ environment }) =>
      suits(environment, decodeReadable<Arithmetic>(origin)),
    );
    return [matching, large].find(({ length }) => length > 0) ?? all;
  }

  return {
    /**
     * Whether only other live replicas should run a job: replicas with enough memory and, to reproduce its digest, with the
     * kernel and the rounding of its checkpoints. If no replica has these, enough memory suffices.
     */
    isLeft: async (job: Pick<QueuedJob, 'id' | 'origin'>) =>
      workers().some(isSelf) && !(await suitableFor(job)).some(isSelf),
    /** The other live replicas that should run a job, with or without a free slot. */
    peersFor: async (
      job: Pick<QueuedJob, 'id' | 'origin'>,
    ): Promise<readonly Pick<Replica, 'id' | 'slots'>[]> =>
      (await suitableFor(job)).filter((replica) => !isSelf(replica)),
    /** Whether another live replica has memory for a job of this size, free or not. */
    hasPeerFor: (bytes: number) => workers().some((replica) => !isSelf(replica) && replica.jobBytes >= bytes),
  };
}

function isAlike(a: Replica, b: Replica): boolean {
  const { kernel, fused } = a.environment;
  return a.jobBytes === b.jobBytes && kernel === b.environment.kernel && fused === b.environment.fused;
}

/** Without checkpoints, every environment will do. */
function suits({ kernel, fused }: Replica['environment'], origin: Arithmetic | null): boolean {
  return origin === null || (origin.kernel.digest === kernel && origin.fused === fused);
}
