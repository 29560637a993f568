/** Releases the runs of lost processes, and replaces lost tickets. Every replica that runs jobs has one. */
import { type RawBuilder, sql } from 'kysely';
import { ACTIVE_STATUSES } from '../domain/jobs/status.ts';
import { LIVE, type Replicas } from '../store/postgres/replicas/processes.ts';
import { RANK } from '../store/runs/queue-order.ts';
import type { ActiveRun } from '../store/runs/recover.ts';
import { BOSS_SCHEMA, type Boss, TRAINING } from './boss.ts';
import { createTickets, ticketIdOf } from './boss-tickets.ts';
import type { JobQueue } from './job-queue.ts';
import { repeatedWork } from './repeated-work.ts';

/** A claim lasts some milliseconds; an older one belongs to a process that was lost before the job started. */
const STUCK_CLAIM = sql`interval '3 s'`;

/** One statement, so a replica cannot join and start a job between reading the replicas and reading the jobs. */
const activeRuns: RawBuilder<ActiveRun & { lost: boolean }> = sql`
  select id, run, runner, status, not exists (
    select from atelier.replicas
    where replicas.id = jobs.runner and ${sql.raw(LIVE)}
  ) as lost
  from atelier.jobs where status in (${sql.join(ACTIVE_STATUSES)})`;

const waitingWithoutTicket: RawBuilder<{ id: string; state: string | null }> = sql`
  select jobs.id, ticket.state
  from atelier.jobs
  left join ${sql.id(BOSS_SCHEMA, 'job')} ticket
    on ticket.name = ${TRAINING} and ticket.group_id collate "C" = jobs.id
  where jobs.status = 'queued' and (
    ticket.id is null or ticket.state > 'active'
    or (ticket.state = 'active' and ticket.started_on < now() - ${STUCK_CLAIM})
    -- The rank changed while the ticket was claimed, and the job did not start.
    or (ticket.state < 'active' and ticket.priority <> ${RANK}))`;

/**
 * Works after each beat of this replica, unless the beats of the others may be old only because the database was away.
 * @param options.recover releases a run; does nothing if it is not the current one or has ended
 * @param options.isRunning whether a job runs in this process
 */
export function createReaper(options: {
  boss: Boss;
  replicas: Pick<Replicas, 'id' | 'isSteady' | 'onBeat'>;
  recover: (jobId: string, run: number) => Promise<unknown>;
  isRunning: (jobId: string) => boolean;
  onDefect: (jobId: string, error: unknown) => void;
}): Pick<JobQueue, 'start' | 'close'> {
  const { boss, replicas, recover, isRunning, onDefect } = options;
  const { db, queue } = boss;
  const tickets = createTickets(boss);
  let pass: Promise<void> | undefined;
  let isClosed = false;

  /** Releases each run in a transaction of its own, apart from the start of the next one. */
  async function releaseLost(): Promise<void> {
    const { rows } = await activeRuns.execute(db);
    // A run of this process is lost if its outcome could not be stored.
    const lost = rows.filter((job) => (job.runner === replicas.id ? !isRunning(job.id) : job.lost));
    await forEach(lost, ({ id, run }) => recover(id, run));
  }

  async function replaceTickets(): Promise<void> {
    const { rows } = await waitingWithoutTicket.execute(db);
    await forEach(rows, async ({ id, state }) => {
      if (state === 'active') return queue.fail(TRAINING, ticketIdOf(id));
      // The ticket was ended with another tool.
      if (state === 'completed' || state === 'failed') await queue.deleteJob(TRAINING, ticketIdOf(id));
      return issueIfQueued(id);
    });
  }

  function issueIfQueued(id: string): Promise<void> {
    return db.transaction().execute(async (trx) => {
      const job = trx
        .selectFrom('jobs')
        .select(['id', 'status', RANK.as('rank')])
        .where('id', '=', id)
        .forUpdate();
      const queued = await job.where('status', '=', 'queued').executeTakeFirst();
      if (queued) await tickets.follow(trx, queued);
    });
  }

  /** A job that fails does not keep the others waiting. */
  async function forEach<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
    const errors: unknown[] = [];
    for (const item of items) {
      if (!isClosed) await work(item).catch((error) => errors.push(error));
    }
    if (errors.length > 0) throw errors[0];
  }

  const attempt = repeatedWork(
    async () => {
      await releaseLost();
      await replaceTickets();
    },
    (error) => onDefect('none', error),
  );

  function onBeat(): void {
    if (isClosed || !replicas.isSteady()) return;
    pass ??= attempt().then(() => {
      pass = undefined;
    });
  }
  return {
    start: () => replicas.onBeat(onBeat),
    async close() {
      isClosed = true;
      await pass;
    },
  };
}
