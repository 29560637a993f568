/** Latency of predictions at a steady rate while a job trains, and memory of the process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { COMPUTING_NICENESS } from '../../src/workers/threads/priority.ts';
import { median } from '../machine.ts';
import { node } from '../measure/command.ts';
import { follow } from '../measure/followers.ts';
import type { Report, Table } from '../measure/report.ts';
import {
  cancelJob,
  isUnderway,
  residentMebibytes,
  startAtelier,
  startJob,
  startServer,
  trainModel,
  untilJob,
  withState,
} from '../measure/servers.ts';
import { quantile, readable } from '../measure/statistics.ts';
import { steadyLatencies } from '../measure/steady.ts';
import { type Effort, takeTurns } from '../measure/turns.ts';

const PER_SECOND = 500;
const FOLLOWERS = 200;
const JOBS = [0, 1, 4];
const ENDLESS = 10_000;
/** Time for memory to stop growing, for a job's threads to start and compile, or for the last job's threads to end. */
const SETTLE_MS = 3000;

interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}

export async function latency(effort: Effort): Promise<Report> {
  return withState(async (state) => ({
    title: 'Latency and memory while training',
    method:
      `Raw-byte predictions of one image at ${PER_SECOND} requests per second for ${effort.latencySeconds} s, sent on time ` +
      `even if earlier ones are pending: without a training job, with one (784-40-10, batch 64) that never ends and has trained for ${SETTLE_MS / 1000} s, ` +
      `and while ${FOLLOWERS} clients follow the events of that job. A bare Fastify route takes the same requests beside a process that only counts, at the niceness of training threads: what two processors leave to any service in Node. Medians of ${effort.rounds} turns. The sender, a process that writes prepared bytes, shares the processors. Memory is the resident set of the whole process ` +
      `with TRAINING_WORKERS=4, ${SETTLE_MS / 1000} s after the first step of the last job; a new process in each turn.`,
    versions: [],
    skipped: [],
    tables: [await latencies(state, effort), await memory(state, effort)],
    goals: [],
  }));
}

async function latencies(state: string, effort: Effort): Promise<Table> {
  const server = await startAtelier(state);
  const bare = await startServer(node('peers/bare-fastify.ts', '{}'));
  try {
    await trainModel(server.url, 'served');
    const measure = async (url = `${server.url}/v1/models/served/predictions`): Promise<Latencies> => {
      const all = await steadyLatencies({
        url,
        headers: { 'content-type': 'application/octet-stream' },
        body: new Uint8Array(784).fill(100),
        perSecond: PER_SECOND,
        seconds: effort.latencySeconds,
      });
      return { p50: quantile(all, 0.5), p99: quantile(all, 0.99), worst: Math.max(...all) };
    };
    let followed = Number.POSITIVE_INFINITY;
    const whileTraining = async (followers: number) => {
      const id = await startJob(server.url, 'busy', ENDLESS);
      await untilJob(server.url, id, isUnderway);
      await wait(SETTLE_MS);
      const leave = await follow(server.url, id, followers);
      const measured = await measure();
      const events = await leave();
      if (followers > 0) followed = Math.min(followed, events);
      await cancelJob(server.url, id);
      return measured;
    };
    const besideBusyProcess = async () => {
      const count = `require('node:os').setPriority(${COMPUTING_NICENESS}); for (;;);`;
      const busy = spawn(process.execPath, ['-e', count]);
      try {
        return await measure(bare.url);
      } finally {
        busy.kill();
        await once(busy, 'exit');
      }
    };
    await measure();
    await measure(bare.url);
    const results = await takeTurns(
      [
        { name: 'bare Fastify route', measure: () => measure(bare.url) },
        { name: 'bare Fastify route, beside a busy process', measure: besideBusyProcess },
        { name: 'no training job', measure: () => measure() },
        { name: 'one training job', measure: () => whileTraining(0) },
        { name: `one training job, ${FOLLOWERS} followers`, measure: () => whileTraining(FOLLOWERS) },
      ],
      effort.rounds,
    );
    const rows = Array.from(results, ([name, turns]) => [
      name,
      ...(['p50', 'p99', 'worst'] as const).map((key) => readable(median(turns.map((turn) => turn[key])))),
    ]);
    const heading = `${PER_SECOND} requests/s; the followers read ${readable(followed)} events or more in a turn`;
    return { heading, columns: ['', 'p50, ms', 'p99, ms', 'slowest, ms'], rows };
  } finally {
    await Promise.all([server.stop(), bare.stop()]);
  }
}

async function memory(state: string, effort: Effort): Promise<Table> {
  const contestants = JOBS.map((jobs) => ({
    name: jobs === 1 ? '1 job' : `${jobs} jobs`,
    measure: () => memoryWith(state, jobs),
  }));
  const results = await takeTurns(contestants, effort.rounds);
  const rows = Array.from(results, ([name, turns]) => [name, readable(median(turns))]);
  return { heading: 'Memory', columns: ['', 'resident, MiB'], rows };
}

async function memoryWith(state: string, jobs: number): Promise<number> {
  const server = await startAtelier(state, { TRAINING_WORKERS: '4' });
  try {
    const ids = await Promise.all(Array.from({ length: jobs }, () => startJob(server.url, 'busy', ENDLESS)));
    await Promise.all(ids.map((id) => untilJob(server.url, id, isUnderway)));
    await wait(SETTLE_MS);
    const resident = residentMebibytes(server.pid);
    await Promise.all(ids.map((id) => cancelJob(server.url, id)));
    return resident;
  } finally {
    await server.stop();
  }
}
