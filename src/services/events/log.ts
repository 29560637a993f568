/** Writes job events to the log and the metrics as they are committed. */
import type { Catalog } from '../../datasets/catalog.ts';
import { isEnded, type JobStatus } from '../../domain/jobs/status.ts';
import type { CommittedEvent, JobState } from '../../store/database/committed-events.ts';
import type { Store } from '../../store/persistent-state.ts';
import { countImages } from '../training/examples.ts';

export interface JobLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface JobMeter {
  statusChanged(to: JobStatus): void;
  preempted(): void;
  finishedEpoch(images: number): void;
}

/**
 * @param options.currentRequestId returns the id of the request that is being handled, if any
 * @param options.onRestart called when a training thread has crashed and its job continues in another one
 * @returns flush: resolves when all events so far have been logged
 */
export function logJobEvents(options: {
  events: Pick<Store['events'], 'onCommitted'>;
  catalog: Catalog;
  log: JobLogger;
  meter: JobMeter;
  currentRequestId: () => string | undefined;
  onRestart: () => void;
}): () => Promise<void> {
  const { events, catalog, log, meter, currentRequestId, onRestart } = options;
  const imagesPerEpoch = new Map<string, number>();
  let pending = Promise.resolve();

  /** Writes one line for each change of status. */
  async function logStatus(
    jobId: string,
    { data, job }: CommittedEvent,
    reqId: string | undefined,
  ): Promise<void> {
    const { from, to, preemptedBy } = data as { from?: JobStatus; to: JobStatus; preemptedBy?: string };
    if (job === null) return;
    meter.statusChanged(to);
    if (preemptedBy !== undefined) meter.preempted();
    if (to === 'running') imagesPerEpoch.set(jobId, await countTrained(job));
    if (isEnded(to)) imagesPerEpoch.delete(jobId);
    const { modelName, attempts, step, digest, traceparent, error } = job;
    const trace = traceparent !== null && { traceparent };
    const details = { jobId, from, to, reqId, ...trace, modelName, attempts, step, preemptedBy };
    if (to === 'failed') log.error({ ...details, error }, `job ${to}`);
    else log.info({ ...details, ...(digest !== null && { digest }) }, `job ${to}`);
  }

  async function countTrained({ dataset, training }: JobState): Promise<number> {
    const found = await catalog.get(dataset);
    return found ? countImages({ training }, found).trained : 0;
  }

  async function handleEvent(jobId: string, event: CommittedEvent, reqId: string | undefined): Promise<void> {
    switch (event.type) {
      case 'status':
        return logStatus(jobId, event, reqId);
      case 'epoch':
        return meter.finishedEpoch(imagesPerEpoch.get(jobId) ?? 0);
      case 'warning':
        if (event.data['code'] === 'worker-crashed') onRestart();
    }
  }

  events.onCommitted((jobId, committed) => {
    const reqId = currentRequestId();
    pending = pending
      .then(async () => {
        for (const event of committed) await handleEvent(jobId, event, reqId);
      })
      .catch((error) => log.error({ jobId, err: error }, 'failed to log job events'));
  });
  return () => pending;
}
