/** Kills, freezes or cuts off the training replica, and measures the recovery. */
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { EpochRecord } from '../../src/domain/jobs/epoch-record.ts';
import type { JobEvent, TrainingJob } from '../../src/domain/jobs/training.ts';
import type { Cluster, Replica } from './cluster.ts';
import type { JobHistory } from './kill-often.ts';
import type { PostgresServer } from './servers/postgres-server.ts';
import type { TrainingBody } from './start-service.ts';
import { lastRunner } from './write-log.ts';

const POLL_MS = 50;
const PAGE = 1000;
/** Longest time without an expected change. */
const PATIENCE_MS = 60_000;

/**
 * `kill`: SIGKILL, and another process in its place. `freeze`: SIGSTOP, and SIGCONT later. `drop`: the replica's packets
 * to and from the database are lost for a while. `database`: PostgreSQL is killed and starts again.
 */
export type Disturbance = 'kill' | 'freeze' | 'drop' | 'database';

export interface Disturbed {
  readonly kind: Disturbance;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** Steps that had been reported after the last checkpoint, and are repeated if another run continues. */
  readonly repeatedSteps: number;
  /** Milliseconds until the job runs again; undefined if the same run continued. */
  readonly running: number | undefined;
  /** Milliseconds until the next report of the job's thread. */
  readonly firstReport: number;
}

export interface DisturbOptions {
  readonly cluster: Cluster;
  /** Address of a replica that does not train and is not disturbed. */
  readonly observer: string;
  readonly url: string;
  readonly body: TrainingBody;
  /** Steps of the undisturbed job; by default all. */
  readonly lastStep?: number;
  readonly disturbances: readonly Disturbance[];
  /** Seconds that a replica is frozen or cut off, and that the database is away. */
  readonly seconds: number;
  readonly postgres?: PostgresServer;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Longest wait before a disturbance, after the job has reached its fraction of the steps. */
  readonly longestWaitMs: number;
  readonly onDisturbed?: (disturbed: Disturbed) => void;
}

/** Fraction of the steps done before the last disturbance. */
const DISTURBED_FRACTION = 0.6;

/** Runs one job under all disturbances, one after the other. */
export async function disturb(options: DisturbOptions): Promise<{
  readonly history: JobHistory;
  readonly disturbed: readonly Disturbed[];
}> {
  const { cluster, observer, url, body, disturbances, random, longestWaitMs } = options;
  const jobs = `${observer}/v1/training-jobs`;
  const { id, progress: planned } = await request<TrainingJob>(jobs, body);
  const lastStep = options.lastStep ?? planned.steps;
  const events: JobEvent[] = [];
  const disturbed: Disturbed[] = [];

  async function poll(): Promise<TrainingJob> {
    const job = await request<TrainingJob>(`${jobs}/${id}`);
    for (let isLast = false; !isLast; ) {
      const page = `${jobs}/${id}/events?limit=${PAGE}&after=${events.length}`;
      const { data } = await request<{ data: JobEvent[] }>(page);
      events.push(...data);
      isLast = data.length < PAGE;
    }
    return job;
  }

  async function until(holds: (job: TrainingJob) => boolean): Promise<TrainingJob> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const job = await poll();
      if (holds(job)) return job;
      const state = JSON.stringify([job.status, job.progress, events.slice(-3)]);
      assert.ok(job.finishedAt === null, `the job has ended early: ${state}`);
      assert.ok(Date.now() < deadline, `the job has not continued within ${PATIENCE_MS} ms: ${state}`);
      await wait(POLL_MS);
    }
  }

  for (const [n, kind] of disturbances.entries()) {
    const step = (DISTURBED_FRACTION * lastStep * (n + 1)) / disturbances.length;
    // A job whose process ends five times without a new epoch or checkpoint is paused.
    const isUnderway = () => events.slice(events.findLastIndex(isStart)).some(isStored);
    await until((job) => job.status === 'running' && job.progress.step >= step && isUnderway());
    await wait(random() * longestWaitMs);
    const { progress } = await poll();
    const stored = events.findLast(({ type }) => type === 'checkpoint')?.data['step'] ?? 0;
    const runner = cluster.find((await lastRunner(url, id))!);
    assert.ok(runner, 'the job runs on an unknown replica');

    const at = Date.now();
    const end = await begin(kind, runner, options);
    if (kind === 'database') await end();
    const since = kind === 'database' ? Date.now() : at;
    let report: JobEvent | undefined;
    await until(() => {
      const later = events.filter((event) => Date.parse(event.at) > since);
      const start = kind === 'database' ? 0 : later.findIndex(isStart);
      report = start < 0 ? undefined : later.slice(start).find(isReport);
      return report !== undefined;
    });
    const start = events.findLast((event) => isStart(event) && Date.parse(event.at) > at);
    const measured = {
      kind,
      at,
      // The checkpoint may be newer than the job, which was read first.
      repeatedSteps: start ? Math.max(0, progress.step - Number(stored)) : 0,
      running: start && Date.parse(start.at) - at,
      firstReport: Date.parse(report!.at) - at,
    };
    disturbed.push(measured);
    options.onDisturbed?.(measured);
    if (kind !== 'database') await end();
  }

  const job = await until(({ finishedAt }) => finishedAt !== null);
  await poll();
  const { data: metrics } = await request<{ data: EpochRecord[] }>(`${jobs}/${id}/metrics`);
  return { history: { job, events, metrics }, disturbed };
}

/** @returns a function that ends the disturbance */
async function begin(
  kind: Disturbance,
  runner: Replica,
  { seconds, postgres }: DisturbOptions,
): Promise<() => Promise<void>> {
  const over = wait(seconds * 1000);
  switch (kind) {
    case 'kill': {
      await runner.kill();
      const restarted = runner.restart();
      return () => restarted;
    }
    case 'freeze':
      runner.freeze();
      return async () => {
        await over;
        runner.thaw();
      };
    case 'drop':
      runner.proxy.drop();
      return async () => {
        await over;
        runner.proxy.heal();
      };
    case 'database':
      assert.ok(postgres, 'the database is not one that can be killed');
      await postgres.kill();
      return async () => {
        await over;
        await postgres.restart();
      };
  }
}

const isStart = ({ type, data }: JobEvent) => type === 'status' && data['to'] === 'running';
const isReport = ({ type }: JobEvent) => type === 'progress' || type === 'epoch' || type === 'checkpoint';

const isStored = ({ type }: JobEvent) => type === 'epoch' || type === 'checkpoint';

/** Repeats a request while the database is unavailable, which is a response of its own. */
async function request<T>(url: string, body?: object): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const response = await fetch(url, {
      ...(body && {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    });
    const text = await response.text();
    if (response.ok) return JSON.parse(text) as T;
    assert.equal(response.status, 503, `${url}: ${text}`);
    assert.match(text, /storage-unavailable/);
    assert.ok(response.headers.has('retry-after'), text);
    assert.ok(Date.now() < deadline, text);
    await wait(100);
  }
}
