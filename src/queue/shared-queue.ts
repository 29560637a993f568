/** The queue of a process that shares its database with others, with everything that belongs to it. */
import type { Replicas } from '../store/postgres/replicas/processes.ts';
import type { Boss } from './boss.ts';
import { createJobClaims, type QueuedJob } from './job-claims.ts';
import { type AdmitJob, IDLE, type JobQueue, type PreemptJob, type RunJob } from './job-queue.ts';
import { createPgBossQueue, type QueueNotices } from './pg-boss-queue.ts';
import { createReaper } from './reaper.ts';

/**
 * @param options.isLeft whether a job is left to other processes
 * @param options.recover releases a run whose process is lost; does nothing if it is not the current one
 * @param options.slots number of jobs that run at once in this process; none run with 0
 */
export function createSharedQueue(options: {
  boss: Boss;
  replicas: Pick<Replicas, 'id' | 'isSteady' | 'onBeat'>;
  notices: QueueNotices;
  isLeft: (job: QueuedJob) => Promise<boolean>;
  admit: AdmitJob;
  preempt: PreemptJob;
  runJob: RunJob;
  recover: (jobId: string, run: number) => Promise<unknown>;
  slots: number;
  onDefect: (jobId: string, error: unknown) => void;
}): JobQueue {
  const { boss, replicas } = options;
  if (options.slots === 0) return IDLE;
  const queue = createPgBossQueue({ ...options, claims: createJobClaims(boss, replicas.id) });
  const reaper = createReaper({ ...options, isRunning: queue.isRunning });
  return {
    start() {
      queue.start();
      reaper.start();
    },
    notify: queue.notify,
    stop: queue.stop,
    async close() {
      await reaper.close();
      await queue.close();
    },
  };
}
