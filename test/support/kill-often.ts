/** Kills a training service at random moments and restarts it on the same state. */
import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import type { EpochRecord } from '../../src/domain/jobs/epoch-record.ts';
import type { JobEvent, TrainingJob } from '../../src/domain/jobs/training.ts';
import { PURPOSE, randomUniform } from '../../src/numerics/random.ts';
import { type Process, serviceAddress } from './start-process.ts';
import type { TrainingBody } from './start-service.ts';
import { createWitness, requestJson } from './witness.ts';

/** Longest wait for a kill during a start. A start takes about a second, so some kills come before it serves. */
const STARTING_MS = 800;
/** Fraction of the steps done before the last kill. The rest takes longer than the longest wait, on any machine. */
const KILLED_FRACTION = 0.6;
/** Longest wait before a kill, as a fraction of the time that the shortest job takes undisturbed; alone it is faster. */
const LONGEST_WAIT_FRACTION = 0.05;
const EARLY_KILL_PROBABILITY = 0.2;

/** Everything recorded of one job, from its creation to its end. */
export interface JobHistory {
  readonly job: TrainingJob;
  readonly events: readonly JobEvent[];
  readonly metrics: readonly EpochRecord[];
}

export interface Kills {
  readonly histories: readonly JobHistory[];
  /** Times of the kills, in milliseconds since the Unix epoch. */
  readonly killedAt: readonly number[];
  /** Number of kills while the service was starting. */
  readonly early: number;
  /** Number of responses for further jobs that were compared again after each kill. */
  readonly recordedResponses: number;
}

/**
 * Spreads the kills over most of the training, while all jobs are active: kill n of N comes a random time after the
 * first job has done its fraction of the steps. About every fifth kill comes while the service starts.
 * @param undisturbed results of the same requests without kills
 */
export async function killOften(options: {
  start: () => Process;
  requests: readonly TrainingBody[];
  undisturbed: readonly JobHistory[];
  kills: number;
  seed: number;
  onKill?: (n: number) => void;
}): Promise<Kills> {
  const { start, requests, undisturbed, kills, seed, onKill = () => {} } = options;
  const random = (n: number, which: number) => randomUniform(seed, PURPOSE.shuffle, which, n);
  const lastSteps = undisturbed.map(({ job }) => job.stoppedAt!.step);
  const durations = undisturbed.map(({ job }) => Date.parse(job.finishedAt!) - Date.parse(job.startedAt!));
  const longestWaitMs = LONGEST_WAIT_FRACTION * Math.min(...durations);
  const witness = createWitness();
  const killedAt: number[] = [];
  let early = 0;
  let service = start();
  let base = await serviceAddress(service);
  const ids: string[] = [];
  for (const body of requests) ids.push((await witness.post(base, body)).id);

  /** Resolves when this fraction of a job's steps is done. The jobs are polled until the service is killed. */
  async function readUntil(fraction: number): Promise<{ killed(): Promise<void> }> {
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
          if (job.progress.step >= fraction * lastSteps[n]!) reached.resolve();
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
    if (n > 1 && random(n, 1) < EARLY_KILL_PROBABILITY) {
      early += 1;
      await setTimeout(random(n, 2) * STARTING_MS);
    } else {
      base = await serviceAddress(service);
      await witness.check(base);
      await witness.queueFurtherJob(base, n);
      reading = await readUntil((KILLED_FRACTION * n) / kills);
      await setTimeout(random(n, 2) * longestWaitMs);
    }
    const reads = reading?.killed();
    service.child.kill('SIGKILL');
    killedAt.push(Date.now());
    await Promise.all([service.exited, reads]);
    onKill(n);
    service = start();
  }
  base = await serviceAddress(service);
  await witness.check(base);
  const histories: JobHistory[] = [];
  await Promise.all(ids.map((id) => witness.follow(base, id, () => {})));
  for (const id of ids) histories.push(await readHistory(base, id, witness.eventsOf(id)));
  // A job that was interrupted twice without progress runs alone, so not every kill interrupts all of them.
  const interruptions = histories.flatMap(({ events }) =>
    events.filter(({ type, data }) => type === 'status' && data['from'] === 'running').slice(1),
  ).length;
  assert.ok(interruptions >= kills - early, `they were interrupted ${interruptions} times by ${kills} kills`);
  return { histories: histories, killedAt, early, recordedResponses: witness.recordedResponses };
}

/** Runs the jobs at the same time, without kills. */
export async function runUndisturbed(
  service: Process,
  requests: readonly TrainingBody[],
): Promise<JobHistory[]> {
  const base = await serviceAddress(service);
  const witness = createWitness();
  const run = async (body: TrainingBody) => {
    const { id } = await witness.post(base, body);
    await witness.follow(base, id, () => {});
    return readHistory(base, id, witness.eventsOf(id));
  };
  return Promise.all(requests.map(run));
}

async function readHistory(base: string, id: string, events: readonly JobEvent[]): Promise<JobHistory> {
  const url = `${base}/v1/training-jobs/${id}`;
  const { data } = await requestJson<{ data: EpochRecord[] }>(`${url}/metrics`);
  return { job: await requestJson<TrainingJob>(url), events, metrics: data };
}

/**
 * Times in milliseconds from each kill to the job's next start, and to the first report of its thread. Kills that
 * were followed by another kill before that are skipped.
 */
export function restartTimes({ events }: JobHistory, killedAt: readonly number[]) {
  const running: number[] = [];
  const firstReport: number[] = [];
  for (const [n, killed] of killedAt.entries()) {
    const next = killedAt[n + 1] ?? Number.POSITIVE_INFINITY;
    const after = events.filter(({ at }) => Date.parse(at) > killed && Date.parse(at) < next);
    const start = after.findIndex(({ type, data }) => type === 'status' && data['to'] === 'running');
    if (start >= 0) running.push(Date.parse(after[start]!.at) - killed);
    const report = after[start + 1];
    if (start >= 0 && report) firstReport.push(Date.parse(report.at) - killed);
  }
  return { running, firstReport: firstReport };
}

/** Asserts that the killed job has the same outcome, metrics and events as the undisturbed one. */
export function assertSameOutcome(killed: JobHistory, undisturbed: JobHistory): void {
  const { job, events, metrics } = killed;
  assert.deepEqual([job.status, job.attempts, job.error], ['succeeded', 1, null]);
  assert.deepEqual([job.digest, job.stoppedAt], [undisturbed.job.digest, undisturbed.job.stoppedAt]);
  assert.deepEqual(job.gradientCheckReport, undisturbed.job.gradientCheckReport);
  assert.deepEqual(metrics.map(withoutDurations), undisturbed.metrics.map(withoutDurations));
  assert.deepEqual(
    [job.best, job.latest].map(withoutDurations),
    [undisturbed.job.best, undisturbed.job.latest].map(withoutDurations),
  );

  assert.deepEqual(
    events.map(({ id }) => id),
    Array.from(events.keys(), (n) => n + 1),
  );
  const dataOf = ({ events }: JobHistory, type: JobEvent['type']) =>
    events.flatMap((event) => (event.type === type ? [event.data] : []));
  assert.deepEqual(dataOf(killed, 'epoch'), metrics);
  const isWait = ({ code }: JobEvent['data']) =>
    code === 'waiting-for-memory' || code === 'storage-unavailable';
  const warnings = dataOf(killed, 'warning').filter((data) => !isWait(data));
  assert.deepEqual(warnings, dataOf(undisturbed, 'warning'));
  const statuses = dataOf(killed, 'status').map(({ from, to }) => `${from ?? ''}→${to}`);
  const again = (statuses.length - 3) / 2;
  assert.deepEqual(statuses, [
    '→queued',
    'queued→running',
    ...Array.from({ length: again }, () => ['running→queued', 'queued→running']).flat(),
    'running→succeeded',
  ]);
  assertResumesFromCheckpoint(events);
}

/** Asserts that the first progress after each start is not before the last stored checkpoint. */
function assertResumesFromCheckpoint(events: readonly JobEvent[]): void {
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

function withoutDurations(record: EpochRecord | null): EpochRecord | null {
  return record && { ...record, durationMs: 0, evaluationMs: 0 };
}
