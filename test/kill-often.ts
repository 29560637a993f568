/** A service that trains, and is killed with SIGKILL at random moments and started again on the same state. */
import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import type { EpochRecord } from '../src/domain/epoch-record.ts';
import type { JobEvent, TrainingJob } from '../src/domain/training-job.ts';
import { PURPOSE, randomUniform } from '../src/numerics/random.ts';
import { type Process, serving } from './start-process.ts';
import type { TrainingBody } from './start-service.ts';
import { ask, createWitness } from './witness.ts';

/** A start takes about a second: some of the kills come before it serves. */
const STARTING_MS = 800;
/** Fraction of the steps before the last kill. The rest is longer than the longest wait, on any machine. */
const KILLED_SHARE = 0.75;
/** As a fraction of the time that the shortest job takes undisturbed. */
const LONGEST_WAIT = 0.1;
const EARLY_KILLS = 0.2;

/** Of one job, from beginning to end. */
export interface Story {
  readonly job: TrainingJob;
  readonly events: readonly JobEvent[];
  readonly metrics: readonly EpochRecord[];
}

export interface Kills {
  readonly stories: readonly Story[];
  /** In milliseconds since the epoch. */
  readonly killedAt: readonly number[];
  /** How many of them came while the service started. */
  readonly early: number;
  /** Answers of further jobs that were looked up again after each kill. */
  readonly answers: number;
}

/**
 * Kills come while all jobs are at work, spread over most of them: the n-th of N once one of them has done its share of its
 * steps, and a random time later; every fifth or so while the service starts.
 * @param undisturbed what came of the same requests where nobody was killed
 */
export async function killOften(options: {
  start: () => Process;
  requests: readonly TrainingBody[];
  undisturbed: readonly Story[];
  kills: number;
  seed: number;
  onKill?: (n: number) => void;
}): Promise<Kills> {
  const { start, requests, undisturbed, kills, seed, onKill = () => {} } = options;
  const random = (n: number, which: number) => randomUniform(seed, PURPOSE.shuffle, which, n);
  const lastSteps = undisturbed.map(({ job }) => job.stoppedAt!.step);
  const durations = undisturbed.map(({ job }) => Date.parse(job.finishedAt!) - Date.parse(job.startedAt!));
  const longestWaitMs = LONGEST_WAIT * Math.min(...durations);
  const witness = createWitness();
  const killedAt: number[] = [];
  let early = 0;
  let service = start();
  let base = await serving(service);
  const ids: string[] = [];
  for (const body of requests) ids.push((await witness.post(base, body)).id);

  /** Until `share` of a job is done; what is going on then goes on to be read until the service is killed. */
  async function readUntil(share: number): Promise<{ killed(): Promise<void> }> {
    const reached = Promise.withResolvers<void>();
    let isKilled = false;
    let failure: unknown;
    const reading = ids.map((id, n) =>
      witness
        .follow(base, id, (job) => {
          assert.ok(
            job.finishedAt === null,
            `the job ended before it was killed often enough: ${job.status}`,
          );
          if (job.progress.step >= share * lastSteps[n]!) reached.resolve();
        })
        .catch((error) => {
          if (isKilled) return;
          failure = error;
          reached.reject(error);
        }),
    );
    await reached.promise;
    return {
      async killed() {
        isKilled = true;
        await Promise.all(reading);
        if (failure !== undefined) throw failure;
      },
    };
  }

  for (let n = 1; n <= kills; n++) {
    let reading: { killed(): Promise<void> } | undefined;
    if (n > 1 && random(n, 1) < EARLY_KILLS) {
      early += 1;
      await setTimeout(random(n, 2) * STARTING_MS);
    } else {
      base = await serving(service);
      await witness.check(base);
      await witness.leaveWaiting(base, n);
      reading = await readUntil((KILLED_SHARE * n) / kills);
      await setTimeout(random(n, 2) * longestWaitMs);
    }
    const reads = reading?.killed();
    service.child.kill('SIGKILL');
    killedAt.push(Date.now());
    await Promise.all([service.exited, reads]);
    onKill(n);
    service = start();
  }
  base = await serving(service);
  await witness.check(base);
  const stories: Story[] = [];
  await Promise.all(ids.map((id) => witness.follow(base, id, () => {})));
  for (const id of ids) stories.push(await storyOf(base, id, witness.eventsOf(id)));
  for (const { events } of stories) {
    const interruptions =
      events.filter(({ type, data }) => type === 'status' && data['from'] === 'running').length - 1;
    assert.ok(interruptions >= kills - early, `it was interrupted ${interruptions} times by ${kills} kills`);
  }
  return { stories, killedAt, early, answers: witness.answers };
}

/** Of jobs that run side by side, and nobody kills. */
export async function runUndisturbed(service: Process, requests: readonly TrainingBody[]): Promise<Story[]> {
  const base = await serving(service);
  const witness = createWitness();
  const run = async (body: TrainingBody) => {
    const { id } = await witness.post(base, body);
    await witness.follow(base, id, () => {});
    return storyOf(base, id, witness.eventsOf(id));
  };
  return Promise.all(requests.map(run));
}

async function storyOf(base: string, id: string, events: readonly JobEvent[]): Promise<Story> {
  const url = `${base}/v1/training-jobs/${id}`;
  const { data } = await ask<{ data: EpochRecord[] }>(`${url}/metrics`);
  return { job: await ask<TrainingJob>(url), events, metrics: data };
}

/**
 * How long after a kill the job was running again, and how long after it something was heard of its thread; in milliseconds,
 * of the kills that were followed by a start.
 */
export function restartTimes({ events }: Story, killedAt: readonly number[]) {
  const running: number[] = [];
  const heard: number[] = [];
  for (const [n, killed] of killedAt.entries()) {
    const next = killedAt[n + 1] ?? Number.POSITIVE_INFINITY;
    const after = events.filter(({ at }) => Date.parse(at) > killed && Date.parse(at) < next);
    const start = after.findIndex(({ type, data }) => type === 'status' && data['to'] === 'running');
    if (start >= 0) running.push(Date.parse(after[start]!.at) - killed);
    const report = after[start + 1];
    if (start >= 0 && report) heard.push(Date.parse(report.at) - killed);
  }
  return { running, heard };
}

/** Nothing of what matters shows that the job was killed. */
export function assertSame(killed: Story, undisturbed: Story): void {
  const { job, events, metrics } = killed;
  assert.deepEqual([job.status, job.attempts, job.error], ['succeeded', 1, null]);
  assert.deepEqual([job.digest, job.stoppedAt], [undisturbed.job.digest, undisturbed.job.stoppedAt]);
  assert.deepEqual(job.gradientCheckReport, undisturbed.job.gradientCheckReport);
  assert.deepEqual(metrics.map(untimed), undisturbed.metrics.map(untimed));
  assert.deepEqual(
    [job.best, job.latest].map(untimed),
    [undisturbed.job.best, undisturbed.job.latest].map(untimed),
  );

  assert.deepEqual(
    events.map(({ id }) => id),
    Array.from(events.keys(), (n) => n + 1),
  );
  const dataOf = ({ events }: Story, type: JobEvent['type']) =>
    events.flatMap((event) => (event.type === type ? [event.data] : []));
  assert.deepEqual(dataOf(killed, 'epoch'), metrics);
  assert.deepEqual(dataOf(killed, 'warning'), dataOf(undisturbed, 'warning'));
  const statuses = dataOf(killed, 'status').map(({ from, to }) => `${from ?? ''}→${to}`);
  const again = (statuses.length - 3) / 2;
  assert.deepEqual(statuses, [
    '→queued',
    'queued→running',
    ...Array.from({ length: again }, () => ['running→queued', 'queued→running']).flat(),
    'running→succeeded',
  ]);
  assertGoesOn(events);
}

/** What is done after a start comes after the last checkpoint before it. */
function assertGoesOn(events: readonly JobEvent[]): void {
  let [stored, isFirst] = [0, false];
  for (const { type, data } of events) {
    if (type === 'status') isFirst = data['to'] === 'running';
    else if (type === 'checkpoint' || type === 'progress') {
      const step = data['step'] as number;
      if (isFirst) assert.ok(step >= stored, `it went on from before step ${step}, and ${stored} was stored`);
      isFirst = false;
      if (type === 'checkpoint') stored = step;
    }
  }
}

function untimed(record: EpochRecord | null): EpochRecord | null {
  return record && { ...record, durationMs: 0, evaluationMs: 0 };
}
