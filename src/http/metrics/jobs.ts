/** Metrics of training jobs: status, results, epochs and throughput. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { JOB_STATUSES, type JobStatus, type TrainingJob } from '../../domain/training-job.ts';
import type { JobMeter } from '../../services/job-log.ts';

export interface JobSource {
  readonly queueLimit: number;
  countJobs(status: JobStatus): Promise<number>;
  runningJobs(): Promise<readonly TrainingJob[]>;
}

/** Final statuses: counted as jobs end, because counting them in the database takes ever longer. */
const ENDED = ['succeeded', 'failed', 'cancelled'] as const satisfies readonly JobStatus[];
const OPEN = JOB_STATUSES.filter((status) => !(ENDED as readonly JobStatus[]).includes(status));

export function measureJobs(registry: Registry, { queueLimit, countJobs, runningJobs }: JobSource): JobMeter {
  const registers = [registry];
  new Gauge({
    name: 'atelier_jobs',
    help: 'Training jobs that have not ended, by status.',
    labelNames: ['status'],
    registers,
    async collect() {
      for (const status of OPEN) this.set({ status }, await countJobs(status));
    },
  });
  new Gauge({
    name: 'atelier_queue_depth',
    help: 'Training jobs that wait for a slot.',
    registers,
    async collect() {
      this.set(await countJobs('queued'));
    },
  });
  new Gauge({
    name: 'atelier_queue_limit',
    help: 'Largest number of queued jobs.',
    registers,
  }).set(queueLimit);
  const ended = new Counter({
    name: 'atelier_jobs_ended_total',
    help: 'Training jobs that have ended since the start of the process, by result.',
    labelNames: ['result'],
    registers,
  });
  for (const result of ENDED) ended.inc({ result }, 0);
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
  new Gauge({
    name: 'atelier_training_images_per_second',
    help: 'Training images per second of all running jobs.',
    registers,
    async collect() {
      const rates = (await runningJobs()).map(({ progress }) => progress.imagesPerSecond ?? 0);
      this.set(rates.reduce((sum, rate) => sum + rate, 0));
    },
  });

  return {
    statusChanged(status) {
      if ((ENDED as readonly JobStatus[]).includes(status)) ended.inc({ result: status });
    },
    finishedEpoch(trained) {
      epochs.inc();
      images.inc(trained);
    },
  };
}
