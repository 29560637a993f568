/**
 * Outbox of webhooks. A job with a webhook has one row with its secret. The row holds the message to send until the
 * message is delivered or no attempt is left. If the job has ended by then, the row is deleted.
 */
import type { Kysely, Transaction } from 'kysely';
import type { DeliveryState } from '../../domain/jobs/notify.ts';
import { isEnded } from '../../domain/jobs/status.ts';
import { encode } from '../database/json-column.ts';
import { countRows, type Rows } from '../database/rows.ts';
import type { Database, WebhookRow } from '../database/tables.ts';

/** A message that this process has claimed. */
export interface ClaimedMessage {
  readonly jobId: string;
  readonly url: string;
  /** `whsec_…` */
  readonly secret: string;
  /** The same for every attempt. */
  readonly messageId: string;
  /** JSON */
  readonly body: string;
  /** Number of attempts, with this one. */
  readonly attempts: number;
}

export type DeliveryOutcome =
  | { readonly type: 'delivered'; readonly at: Date }
  /** @property retryAt null if no attempt is left */
  | { readonly type: 'failed'; readonly error: string; readonly retryAt: Date | null }
  /** The attempt was broken off by this process, and does not count. */
  | { readonly type: 'interrupted'; readonly retryAt: Date };

export function createWebhooks({ db, inTransaction }: Rows) {
  const due = () =>
    db.selectFrom('webhooks').select(['job_id', 'due_at']).where('due_at', 'is not', null).orderBy('due_at');

  return {
    /**
     * Claims the message that is due the longest, for one attempt: no process claims it again before `until`. A process
     * that ends before leaves the message to the next claim after that time.
     */
    async claim(now: Date, until: Date) {
      for (;;) {
        const first = await due().where('due_at', '<=', now.toISOString()).limit(1).executeTakeFirst();
        if (first === undefined) return undefined;
        // If several processes found the message, one of them moves `due_at`. The others match no row and look again.
        const claimed = await db
          .updateTable('webhooks')
          .set((eb) => ({ due_at: until.toISOString(), attempts: eb('attempts', '+', 1) }))
          .where('job_id', '=', first.job_id)
          .where('due_at', '=', first.due_at)
          .returningAll()
          .executeTakeFirst();
        if (claimed) return toMessage(claimed);
      }
    },

    /** When the next message is due; null if none is to be sent. */
    async nextDue() {
      const next = await due().limit(1).executeTakeFirst();
      return next ? new Date(next.due_at!) : null;
    },

    /**
     * Stores the outcome of an attempt, also in the job's `notify`. Does nothing if the message has been claimed again since,
     * replaced by a later one, or deleted with its job.
     */
    record: (message: ClaimedMessage, outcome: DeliveryOutcome) =>
      inTransaction((trx) => recordOutcome(trx, message, outcome)),
  };
}

/** Number of messages to be sent. */
export const countPendingWebhooks = (db: Kysely<Database>) =>
  countRows(db.selectFrom('webhooks').where('due_at', 'is not', null));

function toMessage({ job_id, url, secret, message_id, body, attempts }: WebhookRow): ClaimedMessage {
  return { jobId: job_id, url, secret, messageId: message_id!, body: body!, attempts };
}

async function recordOutcome(
  trx: Transaction<Database>,
  { jobId, url, messageId, attempts }: ClaimedMessage,
  outcome: DeliveryOutcome,
): Promise<void> {
  const retryAt = outcome.type === 'delivered' ? null : (outcome.retryAt?.toISOString() ?? null);
  // Locks the job before its webhook, as changes of its status do.
  const findJob = trx.selectFrom('jobs').select('status').where('id', '=', jobId).forNoKeyUpdate();
  const job = await findJob.executeTakeFirst();
  const isCounted = outcome.type !== 'interrupted';
  // A later message has another id. A later claim has raised `attempts`.
  const updated = await trx
    .updateTable('webhooks')
    .set({
      due_at: retryAt,
      attempts: isCounted ? attempts : attempts - 1,
      ...(retryAt === null && { message_id: null, body: null }),
    })
    .where('job_id', '=', jobId)
    .where('message_id', '=', messageId)
    .where('attempts', '=', attempts)
    .returning('job_id')
    .executeTakeFirst();
  if (job === undefined || updated === undefined || !isCounted) return;
  const state: DeliveryState = {
    url,
    deliveredAt: outcome.type === 'delivered' ? outcome.at.toISOString() : null,
    attempts,
    lastError: outcome.type === 'failed' ? outcome.error : null,
    nextAttemptAt: retryAt,
  };
  await trx
    .updateTable('jobs')
    .set({ notify: encode(state) })
    .where('id', '=', jobId)
    .execute();
  // An ended job sends nothing more, so its secret is deleted. A paused job may send another message.
  if (retryAt === null && isEnded(job.status)) {
    await trx.deleteFrom('webhooks').where('job_id', '=', jobId).execute();
  }
}
