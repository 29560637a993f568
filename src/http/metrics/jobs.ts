/** Metrics of training jobs, counted by the process that wrote their changes: results, epochs and images. */
import { Counter, type Registry } from 'prom-client';
import type { JobStatus } from '../../domain/jobs/status.ts';
import type { JobMeter } from '../../services/events/log.ts';
import { countBy, gauge } from './instruments.ts';

/** Final statuses: counted as jobs end, because counting them in the database takes ever longer. */
const ENDED = ['succeeded', 'failed', 'cancelled'] as const satisfies readonly JobStatus[];

export interface JobSource {
  readonly queueLimit: number;
  /** Jobs of this process that are waiting for storage. */
  readonly waitingForStorage: () => number;
}

export function measureJobs(registry: Registry, { queueLimit, waitingForStorage }: JobSource): JobMeter {
  gauge(
    registry,
    'atelier_jobs_waiting_for_storage',
    'Training jobs of this process that are waiting: the disk is full, or the database or object store is unreachable.',
    waitingForStorage,
  );
  const limit = 'Largest number of queued jobs. The same on every replica: use max, not sum.';
  gauge(registry, 'atelier_queue_limit', limit, () => queueLimit);
  const help = 'Training jobs that have ended since the start of the process, by result.';
  const countEnded = countBy(registry, 'atelier_jobs_ended_total', help, 'result', ENDED);
  const registers = [registry];
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
      const result = ENDED.find((ended) => ended === status);
      if (result) countEnded(result);
    },
    preempted: () => preemptions.inc(),
    finishedEpoch(trained) {
      epochs.inc();
      images.inc(trained);
    },
  };
}
