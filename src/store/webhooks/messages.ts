/** Messages of webhooks, written in the transaction that changes the status of their job. */
import type { Transaction } from 'kysely';
import { ulid } from 'ulid';
import { type Notify, newDelivery } from '../../domain/jobs/notify.ts';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import { isEnded } from '../../domain/jobs/status.ts';
import {
  REPORTED_STATUSES,
  type ReportedStatus,
  type WebhookMessage,
} from '../../domain/jobs/webhook-message.ts';
import { decodeReadable, encode } from '../database/json-column.ts';
import { toError } from '../database/row-error.ts';
import type { Database, JobRow } from '../database/tables.ts';
import { timestamp } from '../database/timestamps.ts';
import { traceOf } from '../jobs/rows.ts';

/** Call it in the transaction that inserts the job. */
export async function insertWebhook(
  trx: Transaction<Database>,
  jobId: string,
  { url, secret }: Notify,
): Promise<void> {
  const nothing = { message_id: null, body: null, attempts: 0, due_at: null };
  await trx
    .insertInto('webhooks')
    .values({ job_id: jobId, url, secret, ...nothing })
    .execute();
}

/**
 * Queues the message of a change of status, if the job has a webhook and the change is reported. It replaces an earlier
 * message that was not delivered. Call it in the transaction of the change, after the change. The row may be damaged.
 * @returns the row with the new state of the delivery
 */
export async function queueMessage(trx: Transaction<Database>, job: JobRow): Promise<JobRow> {
  if (job.notify === null || !isReported(job)) return job;
  const at = timestamp();
  // Messages are sent by the clock of the machine, also while the clock of the store stands still.
  const now = new Date().toISOString();
  const webhook = await trx
    .updateTable('webhooks')
    .set({ message_id: `msg_${ulid()}`, body: encode(describe(job, at)), attempts: 0, due_at: now })
    .where('job_id', '=', job.id)
    .returning('url')
    .executeTakeFirst();
  if (webhook === undefined) return job;
  const notify = encode({ ...newDelivery(webhook.url), nextAttemptAt: now });
  await trx.updateTable('jobs').set({ notify }).where('id', '=', job.id).execute();
  return { ...job, notify };
}

function isReported({ status, pause_reason }: JobRow): boolean {
  return isEnded(status) || (status === 'paused' && pause_reason !== null);
}

function describe(job: JobRow, timestamp: string): WebhookMessage {
  const status = REPORTED_STATUSES.find((reported) => reported === job.status) as ReportedStatus;
  const request = decodeReadable<ResolvedTrainingRequest>(job.request);
  return {
    type: `training-job.${status}`,
    timestamp,
    data: {
      id: job.id,
      status,
      dataset: request?.dataset ?? null,
      modelName: request?.modelName ?? null,
      metadata: request?.metadata ?? {},
      createdAt: job.created_at,
      startedAt: job.started_at,
      finishedAt: job.finished_at,
      stoppedAt:
        job.stopped_step === null || job.stopped_reason === null
          ? null
          : { step: job.stopped_step, reason: job.stopped_reason },
      pauseReason: job.pause_reason,
      model:
        job.model_version === null || request === null
          ? null
          : { name: request.modelName, version: job.model_version },
      publication: decodeReadable(job.publication),
      digest: job.digest,
      error: toError(job),
      ...traceOf(job),
    },
  };
}
