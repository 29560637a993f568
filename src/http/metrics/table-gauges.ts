/** Gauges of the database's tables: one query per scrape, and none of them if the database does not answer. */
import { Gauge, type Registry } from 'prom-client';
import { ACTIVE_STATUSES, type JobStatus, UNFINISHED_STATUSES } from '../../domain/jobs/status.ts';
import { UNFINISHED_PREDICTIONS } from '../../domain/predictions/job.ts';
import type { JobGauges, ReadJobGauges } from '../../store/jobs/gauges.ts';
import { createGauges, createReading } from './instruments.ts';

export interface TableSource {
  readonly readJobs: ReadJobGauges;
  /** Slots for jobs of all live replicas. */
  slots(): number;
}

const SAME_EVERYWHERE = 'The same on every replica: use max, not sum.';

/** @returns a function that must be called at the start of each scrape */
export function measureTables(registry: Registry, { readJobs, slots }: TableSource): () => void {
  const read = createReading(readJobs);
  let scraped: Promise<JobGauges | null> = Promise.resolve(null);
  const add = createGauges(registry, () => scraped);
  const gauge: typeof add = (name, help, ...rest) => add(name, `${help} ${SAME_EVERYWHERE}`, ...rest);
  const count = ({ counts }: JobGauges, status: JobStatus) => counts.get(status) ?? 0;

  gauge('atelier_jobs', 'Training jobs that have not ended, by status.', ['status'], (to, jobs) => {
    for (const status of UNFINISHED_STATUSES) to.set({ status }, count(jobs, status));
  });
  gauge('atelier_queue_depth', 'Training jobs that are waiting for a slot.', [], (to, jobs) =>
    to.set(count(jobs, 'queued')),
  );
  gauge(
    'atelier_queue_oldest_seconds',
    'Time since the oldest queued training job was created; 0 if none is queued.',
    [],
    (to, { oldestQueuedAt }) =>
      to.set(oldestQueuedAt === null ? 0 : Math.max(0, Date.now() - oldestQueuedAt) / 1000),
  );
  gauge(
    'atelier_training_slots',
    'Slots for training jobs of all live replicas, busy and free.',
    ['state'],
    (to, jobs) => {
      const busy = ACTIVE_STATUSES.reduce((sum, status) => sum + count(jobs, status), 0);
      to.set({ state: 'busy' }, busy);
      to.set({ state: 'free' }, Math.max(0, slots() - busy));
    },
  );
  gauge(
    'atelier_training_images_per_second',
    'Training images per second of all running jobs.',
    [],
    (to, { imagesPerSecond }) => to.set(imagesPerSecond),
  );
  gauge(
    'atelier_prediction_jobs',
    'Prediction jobs that have not ended, by status.',
    ['status'],
    (to, { predictions }) => {
      for (const status of UNFINISHED_PREDICTIONS) to.set({ status }, predictions.get(status) ?? 0);
    },
  );
  gauge('atelier_webhooks_pending', 'Webhooks to be sent, now or after a delay.', [], (to, jobs) =>
    to.set(jobs.pendingWebhooks),
  );
  new Gauge({
    name: 'atelier_database_up',
    help: 'Whether the database answered this scrape within a second; without it, the gauges of its tables are absent.',
    registers: [registry],
    async collect() {
      this.set((await scraped) === null ? 0 : 1);
    },
  });

  return () => {
    scraped = read();
  };
}
