/** Starts the service in a process of its own, as `npm start` does. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { openStream } from '../http/read-events.ts';
import { SMALL_DATA_DIR } from './data-directory.ts';
import { addCleanup, type Scope } from './start-service.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

/** Variables for any child that gets others than this process: the folders for coverage and for compiled modules. */
export const INHERITED = Object.fromEntries(
  ['NODE_V8_COVERAGE', 'NODE_COMPILE_CACHE'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);

export interface Process {
  readonly child: ChildProcess;
  /** [exit code, signal] */
  readonly exited: Promise<[number | null, string | null]>;
  /** The lines written to stdout and stderr so far. */
  output(): string;
  /** The address from the log; undefined if the process ends before it serves. */
  readonly address: Promise<string | undefined>;
}

/**
 * Starts the process. If it still runs when the test ends, it is killed.
 * @param launcher a command that runs the command that follows it, such as `setpriv`
 * @param main the entry of the service, such as that of another release
 */
export function startProcess(
  t: Scope,
  stateDir: string,
  environment: Record<string, string> = {},
  launcher: readonly string[] = [],
  main = MAIN,
): Process {
  return startCommand(t, [...launcher, process.execPath, main], {
    env: {
      PORT: '0',
      STARTER_JOB: 'off',
      CALIBRATE_PUBLISHED: 'off',
      // Every state directory is new, so each start would compare vectors.
      WIDE_VECTORS: 'off',
      // Other processes make its event loop late, and a 503 would fail the test.
      MAX_EVENT_LOOP_DELAY_MS: '60000',
      DATA_DIR: SMALL_DATA_DIR,
      STATE_DIR: stateDir,
      ...INHERITED,
      ...environment,
    },
  });
}

/** Starts any command that starts a service. */
export function startCommand(
  t: Scope,
  [command, ...args]: readonly string[],
  options: { readonly env: Record<string, string>; readonly cwd?: string; readonly detached?: boolean },
): Process {
  const child = spawn(command!, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const exited = once(child, 'close') as Process['exited'];
  const address = new Promise<string | undefined>((resolve) => {
    void exited.then(() => resolve(undefined));
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        lines.push(line);
        const served = /Atelier serves (http:\S+?),/.exec(line);
        if (served) resolve(served[1]);
      });
    }
  });
  addCleanup(t, async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  });
  return { child, exited, address, output: () => lines.join('\n') };
}

/** Waits until `holds`: checked now, and after each event of the job. */
export async function untilServedJob(
  base: string,
  id: string,
  holds: (job: TrainingJob) => boolean,
): Promise<TrainingJob> {
  const url = `${base}/v1/training-jobs/${id}`;
  const events = await openStream(`${url}/events`);
  try {
    for await (const _ of events.messages()) {
      const response = await fetch(url);
      const job = (await response.json()) as TrainingJob;
      assert.equal(response.status, 200, JSON.stringify(job));
      if (holds(job)) return job;
      assert.ok(job.finishedAt === null, `the job has ended: ${JSON.stringify(job)}`);
    }
  } finally {
    events.close();
  }
  throw new Error(`The events of ${id} ended before the job did.`);
}

/** Sends a GET request, or a POST request with `body`. */
export async function requestJson<T>(url: string, body?: object): Promise<T> {
  const response = await fetch(url, {
    ...(body && {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });
  assert.ok(response.ok, `${url}: ${response.status}`);
  return (await response.json()) as T;
}

/** Resolves to the address as soon as the process serves. */
export async function serviceAddress(service: Process): Promise<string> {
  const address = await service.address;
  assert.ok(address, service.output());
  return address;
}
