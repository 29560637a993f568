/** The queue of prediction jobs: each process runs one at a time. */
import { type RawBuilder, sql } from 'kysely';
import type { PredictionJobs } from '../store/persistent-state.ts';
import { LIVE, type Replicas } from '../store/postgres/replicas/processes.ts';
import type { Boss } from './boss.ts';
import { IDLE, type JobQueue, NOTHING, type RunJob } from './job-queue.ts';
import { createLocalQueue } from './local-queue.ts';
import { repeatedWork } from './repeated-work.ts';

interface RunningJob {
  readonly id: string;
  readonly run: number;
  readonly runner: string | null;
  readonly lost: boolean;
}

/** One statement, so a replica cannot join and start a job between reading the replicas and reading the jobs. */
const runningJobs: RawBuilder<RunningJob> = sql`
  select id, run, runner, not exists (
    select from atelier.replicas where replicas.id = prediction_jobs.runner and ${sql.raw(LIVE)}
  ) as lost
  from atelier.prediction_jobs where status = 'running'`;

/**
 * Several processes need no tickets: the start of a job is one statement, which succeeds in one of them. Each looks at the
 * queue with every beat, and recovers the jobs of lost processes once its own beats are steady.
 * @param options.cluster undefined if no other process shares the database
 */
export function createPredictionQueue(options: {
  jobs: Pick<PredictionJobs, 'nextQueued' | 'recoverOne'>;
  cluster:
    | {
        readonly boss: Pick<Boss, 'db'>;
        readonly replicas: Pick<Replicas, 'id' | 'isSteady' | 'onBeat'>;
        readonly slots: number;
      }
    | undefined;
  runJob: RunJob;
  onDefect: (jobId: string, error: unknown) => void;
}): JobQueue {
  const { jobs, cluster, onDefect } = options;
  if (cluster?.slots === 0) return IDLE;
  const running = new Set<string>();
  const queue = createLocalQueue({
    nextQueued: jobs.nextQueued,
    admit: async () => NOTHING,
    async runJob(id, ...signals) {
      running.add(id);
      try {
        await options.runJob(id, ...signals);
      } finally {
        running.delete(id);
      }
    },
    slots: 1,
    onDefect,
  });
  if (!cluster) return queue;
  const { boss, replicas } = cluster;
  let pass: Promise<void> | undefined;
  let isClosed = false;

  const recoverLost = repeatedWork(
    async () => {
      for (const { id, run, runner, lost } of (await runningJobs.execute(boss.db)).rows) {
        // A run of this process is lost if its outcome could not be stored.
        const isLost = runner === replicas.id ? !running.has(id) : lost;
        if (isLost && !isClosed) await jobs.recoverOne(id, run);
      }
    },
    (error) => onDefect('none', error),
  );
  function onBeat(): void {
    if (isClosed) return;
    if (replicas.isSteady()) {
      pass ??= recoverLost().then(() => {
        pass = undefined;
      });
    }
    queue.notify();
  }
  return {
    ...queue,
    start() {
      replicas.onBeat(onBeat);
      queue.start();
    },
    async close() {
      isClosed = true;
      await pass;
      await queue.close();
    },
  };
}
