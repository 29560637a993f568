/**
 * Tickets as jobs of pg-boss.
 *
 * A ticket is free while its job is queued, and withdrawn (`cancelled`) while the job is active or paused. Both change in
 * one transaction, and the row of the job decides: a job starts only if it is queued, whatever ticket led to it. So a
 * lost, doubled or stale ticket cannot lose or double a job. Since a ticket is not claimed while its job runs, it needs
 * neither heartbeats nor to be put back before the 24 hours after which pg-boss ends a claim.
 *
 * A ticket has the id of its job: a ULID has the 128 bits of a UUID. Withdrawing keeps the creation time of the ticket.
 * pg-boss orders tickets of equal rank by it, so a job that is queued again comes before later ones.
 */
import { ulidToUUID, uuidToULID } from 'ulid';
import { isEnded } from '../domain/jobs/status.ts';
import { RANK } from '../store/runs/queue-order.ts';
import type { Tickets } from '../store/runs/tickets.ts';
import type { ClaimJob } from './job-queue.ts';
import { type Boss, TRAINING } from './pg-boss.ts';

const JOB_PREFIX = 'job_';

export const ticketToJobId = (ticketId: string): string => JOB_PREFIX + uuidToULID(ticketId);

/** In lower case, as PostgreSQL writes it. */
export function jobToTicketId(jobId: string): string {
  return ulidToUUID(jobId.slice(JOB_PREFIX.length)).toLowerCase();
}

export interface ClaimableTickets extends Tickets {
  readonly claim: ClaimJob;
}

export function createTickets({ db, queue, within }: Boss): ClaimableTickets {
  const follow: Tickets['follow'] = async (trx, { id: jobId, status, rank }) => {
    const options = { db: within(trx) };
    const id = jobToTicketId(jobId);
    if (status === 'queued') {
      // The group serves to skip single jobs when a ticket is fetched.
      const sent = await queue.send(TRAINING, null, { id, group: { id: jobId }, priority: rank, ...options });
      if (sent !== null) return;
      await queue.resume(TRAINING, id, options);
      await queue.update(TRAINING, undefined, { id, priority: rank, ...options });
    } else if (isEnded(status)) await queue.deleteJob(TRAINING, id, options);
    else await queue.cancel(TRAINING, id, options);
  };

  async function isQueued(jobId: string): Promise<boolean> {
    const job = db.selectFrom('jobs').select('id').where('id', '=', jobId).where('status', '=', 'queued');
    return (await job.executeTakeFirst()) !== undefined;
  }

  /** Replaces a lost ticket of a queued job, and corrects its rank. */
  async function repair(jobId: string): Promise<void> {
    const [ticket] = await queue.findJobs(TRAINING, { id: jobToTicketId(jobId) });
    // Claimed by another process. pg-boss ends the claim if that one is lost before the job has started.
    if (ticket?.state === 'active') return;
    await db.transaction().execute(async (trx) => {
      const locked = trx
        .selectFrom('jobs')
        .select(['id', 'status', RANK.as('rank')])
        .forUpdate();
      const job = await locked.where('id', '=', jobId).where('status', '=', 'queued').executeTakeFirst();
      if (job === undefined) return;
      // The ticket was ended with another tool.
      const isOver = ticket?.state === 'completed' || ticket?.state === 'failed';
      if (isOver) await queue.deleteJob(TRAINING, ticket.id, { db: within(trx) });
      await follow(trx, job);
    });
  }

  return {
    follow,
    async claim(jobId, skipped) {
      for (;;) {
        const [ticket] = await queue.fetch(TRAINING, { ignoreGroups: [...skipped] });
        // The number of the attempt is a fence: the claim of another process stays as it is.
        const putBack = async () => void (ticket && (await queue.fail(TRAINING, ticket)));
        if (ticket?.id === jobToTicketId(jobId)) return { putBack };
        if (ticket && !(await isQueued(ticketToJobId(ticket.id)))) {
          await queue.deleteJob(TRAINING, ticket);
          continue;
        }
        await putBack();
        await repair(jobId);
        return undefined;
      }
    },
  };
}
