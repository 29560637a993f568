/** Servers in separate processes, each on a free port that it prints. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import packageJson from '../../package.json' with { type: 'json' };
import { type Command, ROOT } from './command.ts';

export interface Server {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** @throws Error when the process exits before it listens */
export async function startServer({ program, args, env }: Command): Promise<Server> {
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  // Reported only if the start fails: Debian's onnxruntime prints a hundred harmless errors.
  const complaint = text(child.stderr);
  const url = await addressIn(child.stdout);
  if (url === undefined) throw new Error(`${args.join(' ')} exited before it listened: ${await complaint}`);
  // The end of the loop has paused it; a server blocks if its output is not read.
  child.stdout.resume();
  return {
    url,
    pid: child.pid!,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function addressIn(output: Readable): Promise<string | undefined> {
  for await (const line of createInterface(output)) {
    const url = /(?:listening at|serves) (http:[^\s",]+)/i.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  return undefined;
}

/** The command of `npm start`, without npm: that would not pass on signals. */
export function startAtelier(
  stateDir: string,
  env: NodeJS.ProcessEnv = {},
  command = packageJson.scripts.start,
): Promise<Server> {
  const ours = {
    PORT: '0',
    STATE_DIR: stateDir,
    DATA_DIR: join(ROOT, 'data'),
    STARTER_JOB: 'off',
    CALIBRATE_PUBLISHED: 'off',
  };
  return startServer({
    program: '/bin/sh',
    args: ['-c', `cd '${ROOT}' && ${command}`],
    env: { ...ours, ...env },
  });
}

/** Resident memory of the whole process, as counted by the system. */
export const residentMebibytes = (pid: number): number => readMebibytes(pid, 'VmRSS');

/** The most that has been resident. */
export const peakMebibytes = (pid: number): number => readMebibytes(pid, 'VmHWM');

function readMebibytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)![1]) / 1024;
}

export async function untilReady(url: string): Promise<void> {
  while (!(await fetch(`${url}/health/ready`)).ok) await wait(5);
}

/** Runs with a temporary state directory. */
export async function withState<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'atelier-bench-'));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export interface Job {
  readonly id: string;
  readonly status: string;
  readonly finishedAt: string | null;
  readonly progress: { readonly step: number };
  readonly digest: string | null;
}

/** @throws Error with the response, if its status is not 2xx */
export async function post<T>(url: string, body: object): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url}: ${await response.text()}`);
  return (await response.json()) as T;
}

export async function startJob(url: string, modelName: string, epochs: number): Promise<string> {
  const body = { dataset: 'fashion-mnist', modelName, training: { epochs } };
  return (await post<Job>(`${url}/v1/training-jobs`, body)).id;
}

export async function cancelJob(url: string, id: string): Promise<void> {
  await fetch(`${url}/v1/training-jobs/${id}/cancel`, { method: 'POST' });
  await untilJob(url, id, (job) => job.finishedAt !== null);
}

export async function untilJob(url: string, id: string, holds: (job: Job) => boolean): Promise<Job> {
  for (;;) {
    const job = (await (await fetch(`${url}/v1/training-jobs/${id}`)).json()) as Job;
    if (holds(job)) return job;
    if (job.finishedAt !== null) throw new Error(`The job has ended: ${JSON.stringify(job)}`);
    await wait(100);
  }
}

export const isUnderway = (job: Job) => job.progress.step > 0;

/** Trains a model to predict with; its accuracy does not matter. */
export async function trainModel(url: string, modelName: string): Promise<Job> {
  return untilJob(url, await startJob(url, modelName, 1), (job) => job.status === 'succeeded');
}
