/** Metrics of the jobs of this process: which run here, and the changes that it wrote (results, epochs and images). */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { JobStatus } from '../../domain/jobs/status.ts';
import type { JobQueue } from '../../queue/job-queue.ts';
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

const QUEUES = ['training', 'prediction'] as const;
type Queues = Readonly<Record<(typeof QUEUES)[number], Pick<JobQueue, 'running'>>>;

/** @returns a function that sets the queues, which are built after the metrics */
export function measureRunning(registry: Registry): (queues: Queues) => void {
  let queues: Queues | undefined;
  new Gauge({
    name: 'atelier_running_jobs',
    help: 'Jobs that this process is running, by kind. Each job counts on one replica.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const kind of QUEUES) this.set({ kind }, queues?.[kind].running().length ?? 0);
    },
  });
  return (built) => {
    queues = built;
  };
}
