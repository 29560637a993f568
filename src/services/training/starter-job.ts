/** The first job of an empty store: predictions work soon after the first start. */

import { trainingRequestSchema } from '../../domain/jobs/request.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import { AlreadyAnswered, type IdempotencyRecord } from '../../store/idempotency.ts';
import type { JobLogger } from '../events/log.ts';
import type { TrainingService } from './jobs.ts';

/** The notebook's network. With a decaying learning rate, 10 epochs reach the accuracy of 20 at a constant rate. */
const STARTER_REQUEST = trainingRequestSchema.parse({
  dataset: 'fashion-mnist',
  metadata: { startedBy: 'STARTER_JOB' },
  training: { epochs: 10, schedule: { type: 'exponential', factor: 0.85 } },
});

/** The stored response that lets only one of several starting processes create the job. Names of callers are not empty. */
const ONCE: Omit<IdempotencyRecord<TrainingJob>, 'at'> = {
  caller: '',
  key: 'starter-job',
  fingerprint: '',
  render: ({ id }) => ({ status: 202, location: null, contentType: 'text/plain', body: id }),
};

/** Logs an error instead of throwing it: the service is useful without the job, and its next start tries again. */
export async function startStarterJob(training: TrainingService, log: JobLogger): Promise<void> {
  try {
    const job = await training.start(STARTER_REQUEST, { ...ONCE, at: new Date() });
    log.info({ jobId: job.id, modelName: job.modelName }, 'starter job queued to provide a first model');
  } catch (err) {
    if (err instanceof AlreadyAnswered) return;
    log.error({ err }, 'the starter job could not be queued');
  }
}
