/** Clients of a service that is killed: they remember all that they read, and want it back word for word. */
import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { type JobEvent, type TrainingJob, trainingRequestSchema } from '../src/domain/training-job.ts';
import { hasEnded, type TrainingBody, tiny } from './start-service.ts';

const PAGE = 1000;
const POLL_MS = 15;

export async function ask<T>(url: string, status = 200, body?: object): Promise<T> {
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
  /** The job that is created. */
  post(base: string, body: TrainingBody): Promise<TrainingJob>;
  /** Creates a job that only waits, and does to the one before what the number says: nothing, pause or cancel. */
  leaveWaiting(base: string, n: number): Promise<void>;
  /** Reads events and job until the job has ended. */
  follow(base: string, id: string, onJob: (job: TrainingJob) => void): Promise<void>;
  /** All that was read is there still, and as it was. */
  check(base: string): Promise<void>;
  eventsOf(id: string): readonly JobEvent[];
  /** How many answers it has had of jobs that wait or are cancelled. */
  readonly answers: number;
}

export function createWitness(): Witness {
  const events = new Map<string, JobEvent[]>();
  /** The last answer of each job on which nobody works. */
  const waiting = new Map<string, TrainingJob>();
  let answers = 0;
  let last: string | undefined;

  async function readOn(base: string, id: string): Promise<void> {
    const seen = events.get(id)!;
    const { data } = await ask<{ data: JobEvent[] }>(
      `${jobUrl(base, id)}/events?limit=${PAGE}&after=${seen.length}`,
    );
    seen.push(...data);
  }

  const acknowledged = (job: TrainingJob) => {
    answers += 1;
    waiting.set(job.id, job);
    return job.id;
  };

  return {
    async post(base, body) {
      const job = await ask<TrainingJob>(`${base}/v1/training-jobs`, 202, body);
      events.set(job.id, []);
      return job;
    },
    async leaveWaiting(base, n) {
      const before = last;
      last = acknowledged(await ask(`${base}/v1/training-jobs`, 202, tiny({ metadata: { n: String(n) } })));
      const action = [undefined, 'pause', 'cancel'][n % 3];
      if (before && action) acknowledged(await ask(`${jobUrl(base, before)}/${action}`, 202));
    },
    async follow(base, id, onJob) {
      for (;;) {
        const job = await ask<TrainingJob>(jobUrl(base, id));
        await readOn(base, id);
        onJob(job);
        if (hasEnded(job)) return;
        await setTimeout(POLL_MS);
      }
    },
    async check(base) {
      for (const [id, job] of waiting) {
        const found = await ask<TrainingJob>(jobUrl(base, id));
        // What was queued may have been started since.
        if (job.status === 'queued') assert.deepEqual(asCreated(found), asCreated(job));
        else assert.deepEqual(found, job);
      }
      for (const [id, seen] of events) {
        for (let at = 0; at < seen.length; at += PAGE) {
          const url = `${jobUrl(base, id)}/events?limit=${PAGE}&after=${at}`;
          const { data } = await ask<{ data: JobEvent[] }>(url);
          const expected = seen.slice(at, at + PAGE);
          assert.deepEqual(data.slice(0, expected.length), expected);
        }
      }
    },
    eventsOf: (id) => events.get(id)!,
    get answers() {
      return answers;
    },
  };
}
