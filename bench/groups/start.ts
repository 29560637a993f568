/** `npm start`: time until the service is ready and has predicted, and memory at rest and at work. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { median } from '../machine.ts';
import { ROOT } from '../measure/command.ts';
import type { Report } from '../measure/report.ts';
import {
  cancelJob,
  isUnderway,
  peakMebibytes,
  residentMebibytes,
  type Server,
  startJob,
  trainModel,
  untilJob,
  untilReady,
  withState,
} from '../measure/servers.ts';
import { readable, spread } from '../measure/statistics.ts';
import { type Effort, takeTurns } from '../measure/turns.ts';

const ENDLESS = 10_000;
/** Requests of each kind. */
const LARGE_REQUESTS = 5;
const IMAGES = 10_000;

interface Service extends Server {
  /** Since npm was started. */
  readonly readyMs: number;
}

/** Starts the service as a user does. Its process is a descendant of npm's, and its log names its id. */
async function npmStart(stateDir: string): Promise<Service> {
  const startedAt = performance.now();
  const npm = spawn('npm', ['start'], {
    cwd: ROOT,
    env: { ...process.env, PORT: '0', STATE_DIR: stateDir, STARTER_JOB: 'off', CALIBRATE_PUBLISHED: 'off' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = new Promise((resolve) => npm.on('close', resolve));
  for await (const line of createInterface(npm.stdout)) {
    const found = /"pid":(\d+).*Atelier serves (http:[^\s",]+)/i.exec(line);
    if (found === null) continue;
    const [pid, url] = [Number(found[1]), found[2]!];
    await untilReady(url);
    const readyMs = performance.now() - startedAt;
    npm.stdout.resume();
    return {
      url,
      pid,
      readyMs,
      async stop() {
        process.kill(pid, 'SIGTERM');
        await closed;
      },
    };
  }
  throw new Error('npm start ended before the service listened.');
}

/** Milliseconds of `npm start` with scripts that do nothing: what npm and two starts of Node take. */
function npmStartOfNothing(folder: string): number {
  const scripts = { prestart: 'node --eval 0', start: 'node --eval 0' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts }));
  const startedAt = performance.now();
  execFileSync('npm', ['start'], { cwd: folder });
  return performance.now() - startedAt;
}

async function predict(url: string, type: string, body: Uint8Array<ArrayBuffer> | string): Promise<void> {
  const response = await fetch(`${url}/v1/models/served/predictions`, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  });
  if (!response.ok) throw new Error(await response.text());
  await response.arrayBuffer();
}

async function startAndRest(state: string, settleSeconds: number) {
  const service = await npmStart(state);
  try {
    const askedAt = performance.now();
    await predict(service.url, 'application/octet-stream', new Uint8Array(784));
    const firstMs = performance.now() - askedAt;
    await wait(1000 * settleSeconds);
    return { readyMs: service.readyMs, firstMs, idle: residentMebibytes(service.pid) };
  } finally {
    await service.stop();
  }
}

/** The most that was resident while a job trains and large requests arrive, one after another: binary ones, then JSON too. */
async function peaksAtWork(state: string) {
  const service = await npmStart(state);
  try {
    const id = await startJob(service.url, 'busy', ENDLESS);
    await untilJob(service.url, id, isUnderway);
    const npy = readFileSync(join(ROOT, 'data/fashion_mnist_test_images.npy'));
    const raw = npy.subarray(-784 * IMAGES);
    for (let n = 0; n < LARGE_REQUESTS; n++) {
      await predict(service.url, 'application/x-npy', npy);
      await predict(service.url, 'application/octet-stream', raw);
    }
    const binary = peakMebibytes(service.pid);
    const image = Array.from(raw.subarray(0, 784));
    const json = JSON.stringify({ images: Array.from({ length: IMAGES }, () => image) });
    for (let n = 0; n < LARGE_REQUESTS; n++) await predict(service.url, 'application/json', json);
    const all = peakMebibytes(service.pid);
    await cancelJob(service.url, id);
    return { binary, json: all };
  } finally {
    await service.stop();
  }
}

export function start(effort: Effort): Promise<Report> {
  return withState(async (state) => {
    const first = await npmStart(state);
    await trainModel(first.url, 'served');
    await first.stop();
    const nothing = await withState((folder) =>
      takeTurns([{ name: 'nothing', measure: async () => npmStartOfNothing(folder) }], effort.rounds),
    );
    const starts = await takeTurns(
      [{ name: 'npm start', measure: () => startAndRest(state, effort.settleSeconds) }],
      effort.rounds,
    );
    const work = await takeTurns(
      [{ name: 'a job and large requests', measure: () => peaksAtWork(state) }],
      effort.rounds,
    );
    const of = (key: 'readyMs' | 'firstMs' | 'idle') => starts.get('npm start')!.map((turn) => turn[key]);
    const peaks = (kind: 'binary' | 'json') =>
      work.get('a job and large requests')!.map((turn) => turn[kind]);
    return {
      title: 'Start and memory',
      method:
        `npm start in its default configuration, with Fashion-MNIST and one model of 784-40-10, median of ${effort.rounds} starts. Ready is when ` +
        '/health/ready responds with 200, counted from the start of npm. The first start of all compares the vectors of the kernel and trains the model; it has a row of its own. ' +
        `Memory is the resident set of the process: ${effort.settleSeconds} s after the first prediction, and at most in its life, while a job trains and ${LARGE_REQUESTS} ` +
        `requests of each kind arrive, ${readable(IMAGES)} images each, one after another.`,
      versions: [],
      skipped: [],
      tables: [
        {
          heading: 'Start',
          columns: ['what', 'ms', 'smallest – largest'],
          rows: [
            ['first start to ready', readable(first.readyMs), ''],
            ['npm start of two scripts that do nothing', ...spread(nothing.get('nothing')!)],
            ['later start to ready', ...spread(of('readyMs'))],
            ['first prediction after ready', ...spread(of('firstMs'))],
          ],
        },
        {
          heading: 'Memory',
          columns: ['what', 'resident, MiB', 'smallest – largest'],
          rows: [
            ['idle', ...spread(of('idle'))],
            ['peak: a job trains, requests as npy and raw bytes', ...spread(peaks('binary'))],
            ['peak: the same, then requests as JSON of 20 MB', ...spread(peaks('json'))],
          ],
        },
      ],
      goals: [
        { what: 'npm start to ready, ms', measured: median(of('readyMs')), atMost: 1000 },
        { what: 'first prediction, ms', measured: median(of('firstMs')), atMost: 10 },
        { what: 'resident when idle, MiB', measured: median(of('idle')), atMost: 200 },
        { what: 'resident at most, npy and raw bytes, MiB', measured: median(peaks('binary')), atMost: 350 },
      ],
    };
  });
}
