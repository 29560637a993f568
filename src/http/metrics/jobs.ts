/** Metrics of training jobs, counted by the process that wrote their changes: results, epochs and images. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { JobStatus } from '../../domain/jobs/status.ts';
import type { JobMeter } from '../../services/events/log.ts';

/** Final statuses: counted as jobs end, because counting them in the database takes ever longer. */
const ENDED = ['succeeded', 'failed', 'cancelled'] as const satisfies readonly JobStatus[];

export interface JobSource {
  readonly queueLimit: number;
  /** Jobs of this process that are waiting for storage. */
  readonly waitingForStorage: () => number;
}

export function measureJobs(registry: Registry, { queueLimit, waitingForStorage }: JobSource): JobMeter {
  const registers = [registry];
  new Gauge({
    name: 'atelier_jobs_waiting_for_storage',
    help: 'Training jobs of this process that are waiting: the disk is full, or the database or object store is unreachable.',
    registers,
    collect() {
      this.set(waitingForStorage());
    },
  });
  new Gauge({
    name: 'atelier_queue_limit',
    help: 'Largest number of queued jobs. The same on every replica: use max, not sum.',
    registers,
  }).set(queueLimit);
  const ended = new Counter({
    name: 'atelier_jobs_ended_total',
    help: 'Training jobs that have ended since the start of the process, by result.',
    labelNames: ['result'],
    registers,
  });
  for (const result of ENDED) ended.inc({ result }, 0);
  const preemptions = new Counter({
    name: 'atelier_job_preemptions_total',
    help: 'Running jobs that were stopped in favour of one of higher priority, and queued again.',
    registers,
  });
  const epochs = new Counter({
    name: 'atelier_training_epochs_total',
    help: 'Completed training epochs.',
    registers,
  });
  const images = new Counter({
    name: 'atelier_training_images_total',
    help: 'Training images processed in completed epochs.',
    registers,
  });

  return {
    statusChanged(status) {
      if ((ENDED as readonly JobStatus[]).includes(status)) ended.inc({ result: status });
    },
    preempted: () => preemptions.inc(),
    finishedEpoch(trained) {
      epochs.inc();
      images.inc(trained);
    },
  };
}
