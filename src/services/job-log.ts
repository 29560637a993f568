/** Watches what happens to the jobs, as their stored events tell it, and says it: to the log, and to what is counted. */
import type { Catalog } from '../datasets/catalog.ts';
import type { JobEvent, JobStatus, TrainingJob } from '../domain/training-job.ts';
import { countTrainingExamples } from '../numerics/batches.ts';
import type { Store } from '../store/store.ts';

export interface JobLogger {
  info(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface JobMeter {
  changed(to: JobStatus): void;
  finishedEpoch(images: number): void;
}

/**
 * @param askedBy id of the request in whose course something is written, if it is one
 * @param onRestart a training thread crashed, and its job goes on in another
 * @returns fulfils when all that was written so far has been told
 */
export function logJobEvents(options: {
  store: Pick<Store, 'jobs' | 'events'>;
  catalog: Catalog;
  log: JobLogger;
  meter: JobMeter;
  askedBy: () => string | undefined;
  onRestart: () => void;
}): () => Promise<void> {
  const { store, catalog, log, meter, askedBy, onRestart } = options;
  const imagesPerEpoch = new Map<string, number>();
  let pending = Promise.resolve();

  /** One line a change, whoever made it. */
  async function changed(jobId: string, { data }: JobEvent, reqId: string | undefined): Promise<void> {
    const { from, to } = data as { from?: JobStatus; to: JobStatus };
    const job = await store.jobs.get(jobId);
    if (job === undefined) return;
    meter.changed(to);
    if (to === 'running') imagesPerEpoch.set(jobId, await countImages(job));
    if (job.finishedAt !== null) imagesPerEpoch.delete(jobId);
    const { modelName, attempts, progress, digest, error } = job;
    const details = { jobId, from, to, reqId, modelName, attempts, step: progress.step };
    if (to === 'failed') log.error({ ...details, error }, `job ${to}`);
    else log.info({ ...details, ...(digest !== null && { digest }) }, `job ${to}`);
  }

  async function countImages({ dataset, training }: TrainingJob): Promise<number> {
    const labels = (await catalog.get(dataset))?.train.labels;
    return labels ? countTrainingExamples(labels, training.validation?.fraction ?? null) : 0;
  }

  async function handleEvent(jobId: string, event: JobEvent, reqId: string | undefined): Promise<void> {
    switch (event.type) {
      case 'status':
        return changed(jobId, event, reqId);
      case 'epoch':
        return meter.finishedEpoch(imagesPerEpoch.get(jobId) ?? 0);
      case 'warning':
        if (event.data['code'] === 'worker-crashed') onRestart();
    }
  }

  store.events.onCommitted((jobId, first, last) => {
    const reqId = askedBy();
    pending = pending
      .then(async () => {
        const { data } = await store.events.list(jobId, { after: first - 1, limit: last - first + 1 });
        for (const event of data) await handleEvent(jobId, event, reqId);
      })
      .catch((error) => log.error({ jobId, err: error }, 'events of a job could not be told'));
  });
  return () => pending;
}
