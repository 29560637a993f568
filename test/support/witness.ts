/** Clients of a killed service: they compare recorded responses after each restart. */
import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { trainingRequestSchema } from '../../src/domain/jobs/request.ts';
import type { JobEvent, TrainingJob } from '../../src/domain/jobs/training.ts';
import { hasEnded, type TrainingBody, tiny } from './start-service.ts';

const PAGE = 1000;
const POLL_MS = 50;

export async function requestJson<T>(url: string, status = 200, body?: object): Promise<T> {
  const response = await fetch(url, {
    ...(status === 202 && { method: 'POST' }),
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  assert.equal(response.status, status, `${url}: ${text}`);
  return JSON.parse(text) as T;
}

const jobUrl = (base: string, id: string) => `${base}/v1/training-jobs/${id}`;

const CREATED = ['id', 'createdAt', ...Object.keys(trainingRequestSchema.shape)] as (keyof TrainingJob)[];
const asCreated = (job: TrainingJob) => CREATED.map((key) => job[key]);

export interface Witness {
  /** Creates a job whose events are recorded. */
  post(base: string, body: TrainingBody): Promise<TrainingJob>;
  /** Queues a further job, then pauses the previous one if n mod 3 is 1, or cancels it if n mod 3 is 2. */
  queueFurtherJob(base: string, n: number): Promise<void>;
  /** Polls the job and its events until the job has ended. */
  follow(base: string, id: string, onJob: (job: TrainingJob) => void): Promise<void>;
  /** Asserts that everything recorded still exists unchanged. */
  check(base: string): Promise<void>;
  eventsOf(id: string): readonly JobEvent[];
  /** Number of recorded responses for queued, paused and cancelled jobs. */
  readonly recordedResponses: number;
}

export function createWitness(): Witness {
  const events = new Map<string, JobEvent[]>();
  /** The last response for each job that is not active. */
  const waiting = new Map<string, TrainingJob>();
  let recordedResponses = 0;
  let last: string | undefined;

  async function readNewEvents(base: string, id: string): Promise<void> {
    const seen = events.get(id)!;
    const { data } = await requestJson<{ data: JobEvent[] }>(
      `${jobUrl(base, id)}/events?limit=${PAGE}&after=${seen.length}`,
    );
    seen.push(...data);
  }

  const acknowledged = (job: TrainingJob) => {
    recordedResponses += 1;
    waiting.set(job.id, job);
    return job.id;
  };

  return {
    async post(base, body) {
      const job = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, 202, body);
      events.set(job.id, []);
      return job;
    },
    async queueFurtherJob(base, n) {
      const before = last;
      last = acknowledged(
        await requestJson(`${base}/v1/training-jobs`, 202, tiny({ metadata: { n: String(n) } })),
      );
      const action = [undefined, 'pause', 'cancel'][n % 3];
      if (before && action) acknowledged(await requestJson(`${jobUrl(base, before)}/${action}`, 202));
    },
    async follow(base, id, onJob) {
      for (;;) {
        const job = await requestJson<TrainingJob>(jobUrl(base, id));
        await readNewEvents(base, id);
        onJob(job);
        if (hasEnded(job)) return;
        await setTimeout(POLL_MS);
      }
    },
    async check(base) {
      for (const [id, job] of waiting) {
        const found = await requestJson<TrainingJob>(jobUrl(base, id));
        // A queued job may have started since.
        if (job.status === 'queued') assert.deepEqual(asCreated(found), asCreated(job));
        else assert.deepEqual(found, job);
      }
      for (const [id, seen] of events) {
        for (let at = 0; at < seen.length; at += PAGE) {
          const url = `${jobUrl(base, id)}/events?limit=${PAGE}&after=${at}`;
          const { data } = await requestJson<{ data: JobEvent[] }>(url);
          const expected = seen.slice(at, at + PAGE);
          assert.deepEqual(data.slice(0, expected.length), expected);
        }
      }
    },
    eventsOf: (id) => events.get(id)!,
    get recordedResponses() {
      return recordedResponses;
    },
  };
}
