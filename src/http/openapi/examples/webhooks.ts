/** Examples of webhooks: the field of the request, the state of the delivery, and the message. */
import type { DeliveryState, Notify } from '../../../domain/jobs/notify.ts';
import type { TrainingJob } from '../../../domain/jobs/training.ts';
import { type WebhookMessage, webhookMessageSchema } from '../../../domain/jobs/webhook-message.ts';

const url = 'https://hooks.example.org/atelier';

/** The secret of the examples in the specification of Standard Webhooks. */
const notify: Notify = { url, secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' };

const state: DeliveryState = {
  url,
  deliveredAt: null,
  attempts: 2,
  lastError: 'The receiver responded with 503.',
  nextAttemptAt: '2026-11-24T23:53:27.120Z',
};

export function webhookExamples(job: TrainingJob) {
  const message: WebhookMessage = {
    type: 'training-job.succeeded',
    timestamp: job.finishedAt!,
    // Without the fields of the job that the message does not have.
    data: webhookMessageSchema.shape.data.parse(job),
  };
  return { Notify: notify, NotifyState: state, WebhookMessage: message };
}
