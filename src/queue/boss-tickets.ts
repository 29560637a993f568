/**
 * Tickets as jobs of pg-boss.
 *
 * A ticket is free while its job is queued, and withdrawn (`cancelled`) while the job is active or paused. Both change in
 * one transaction, and the row of the job decides: a job starts only if it is queued, whatever ticket led to it. So a
 * lost, doubled or stale ticket cannot lose or double a job: a stale one starts nothing and is removed, and the reaper
 * replaces a lost one. Since a ticket is not claimed while its job runs, it needs neither heartbeats nor to be put back
 * before the 24 hours after which pg-boss ends a claim.
 *
 * The id of a ticket is that of its job: a ULID has the 128 bits of a UUID. Withdrawing keeps the time at which the ticket
 * was created, by which pg-boss orders tickets of equal rank, so a job that is queued again comes before later ones.
 */
import { ulidToUUID, uuidToULID } from 'ulid';
import { isEnded } from '../domain/jobs/status.ts';
import type { Tickets } from '../store/runs/tickets.ts';
import { type Boss, TRAINING } from './boss.ts';

const JOB_PREFIX = 'job_';

export const jobIdOf = (ticketId: string): string => JOB_PREFIX + uuidToULID(ticketId);

/** In lower case, as PostgreSQL writes it. */
export function ticketIdOf(jobId: string): string {
  return ulidToUUID(jobId.slice(JOB_PREFIX.length)).toLowerCase();
}

export function createTickets({ queue, within }: Boss): Tickets {
  return {
    async follow(trx, { id: jobId, status, rank }) {
      const db = within(trx);
      const id = ticketIdOf(jobId);
      if (status === 'queued') {
        // The group serves to skip single jobs when a ticket is fetched.
        const sent = await queue.send(TRAINING, null, { id, group: { id: jobId }, priority: rank, db });
        if (sent !== null) return;
        await queue.resume(TRAINING, id, { db });
        await queue.update(TRAINING, undefined, { id, priority: rank, db });
      } else if (isEnded(status)) await queue.deleteJob(TRAINING, id, { db });
      else await queue.cancel(TRAINING, id, { db });
    },
  };
}
