/** Job queues of processes that share a database: each follows what the others do. */
import type { Notices } from '../store/database/notices.ts';
import type { Replicas } from '../store/postgres/replicas/processes.ts';
import { readRuns } from '../store/postgres/replicas/runs.ts';
import { createJobQueue, type JobQueue, type JobQueueOptions } from './job-queue.ts';
import { createPasses } from './passes.ts';
import type { Boss } from './pg-boss.ts';

export interface SharedJobs {
  readonly boss: Pick<Boss, 'db'>;
  readonly table: Parameters<typeof readRuns>[1];
  readonly replicas: Pick<Replicas, 'id' | 'isSteady' | 'onBeat'>;
  /** Undefined if these jobs cause no notices. */
  readonly notices?: Pick<Notices, 'on'> | undefined;
  /** Releases a lost run; does nothing if it is not the current one or has ended. */
  readonly recover: (jobId: string, run: number) => Promise<unknown>;
}

/** @param shared null in a process that shares its database with no other */
export function openJobQueue<Job extends { readonly id: string }>(
  options: JobQueueOptions<Job>,
  shared: SharedJobs | null,
): JobQueue {
  const queue = createJobQueue(options);
  // A process without slots leaves lost runs to those that can continue them.
  return shared && options.slots > 0 ? shareQueue(queue, shared, options.onDefect) : queue;
}

/**
 * Looks at the queue and at the runs with every beat and notice: stops the runs of this process whose jobs shall stop or run
 * elsewhere, and recovers lost runs.
 */
function shareQueue(
  queue: JobQueue,
  { boss, table, replicas, notices, recover }: SharedJobs,
  onDefect: JobQueueOptions<never>['onDefect'],
): JobQueue {
  async function look(): Promise<void> {
    const lost: { id: string; run: number }[] = [];
    for (const { id, run, runner, status, isLost } of await readRuns(boss.db, table, queue.running())) {
      const isOwn = runner === replicas.id;
      if (queue.isRunning(id)) {
        // A queued job is about to start here.
        if (status !== 'queued' && !(status === 'running' && isOwn)) queue.stop(id);
        // A run of this process is lost if its outcome could not be stored.
      } else if (isOwn || isLost) lost.push({ id, run });
    }
    // Before that, the beats of the others may be old only because the database was away.
    if (!replicas.isSteady()) return;
    const recoveries = await Promise.allSettled(lost.map(({ id, run }) => recover(id, run)));
    // A job whose recovery fails does not keep the others waiting.
    for (const recovery of recoveries) if (recovery.status === 'rejected') throw recovery.reason;
  }

  const looks = createPasses(look, (error) => onDefect('none', error));
  return {
    ...queue,
    start() {
      notices?.on('queue', queue.notify);
      notices?.on('job', looks.request);
      // A notice can be lost with a connection, and memory or an environment can become free without one.
      replicas.onBeat(() => {
        queue.notify();
        looks.request();
      });
      queue.start();
    },
    async close() {
      await looks.close();
      await queue.close();
    },
  };
}
