/**
 * Attack: trainings, uploads and gradient checks together, in a memory cgroup. Each fits alone. Run it as root.
 * usage: node bench/attack/memory.ts [MEBIBYTES] [FOLDER], by default 1024 and this folder's source
 */
import { existsSync, mkdirSync, openAsBlob, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describeMachine } from '../machine.ts';
import { ROOT } from '../measure/command.ts';
import { type Server, startServer, withState } from '../measure/servers.ts';

const [limit = '1024', folder = ROOT] = process.argv.slice(2);
const [JOBS, UPLOADS, CHECKS, STARTS] = [3, 2, 3, 4];
const V1 = '/sys/fs/cgroup/memory';
const startedAt = performance.now();
const log = (line: string) =>
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`);

/** A new cgroup without swap. */
function createCgroup(mebibytes: number) {
  const isV1 = existsSync(V1);
  const path = join(isV1 ? V1 : '/sys/fs/cgroup', `atelier-${process.pid}`);
  mkdirSync(path);
  const bytes = `${mebibytes * 2 ** 20}`;
  const settings = isV1
    ? { 'memory.limit_in_bytes': bytes, 'memory.memsw.limit_in_bytes': bytes }
    : { 'memory.max': bytes, 'memory.swap.max': '0' };
  for (const [name, value] of Object.entries(settings)) writeFileSync(join(path, name), value);
  const counters = join(path, isV1 ? 'memory.oom_control' : 'memory.events');
  return {
    path,
    kills: () => Number(/oom_kill (\d+)/.exec(readFileSync(counters, 'utf8'))![1]),
    remove: () => rmdirSync(path),
  };
}

function startIn(cgroup: string, stateDir: string): Promise<Server> {
  return startServer({
    program: 'sh',
    args: [
      '-c',
      `echo $$ > ${cgroup}/cgroup.procs && exec "$@"`,
      'sh',
      process.execPath,
      '--max-semi-space-size=8',
      '--v8-pool-size=0',
      join(folder, 'src/main.ts'),
    ],
    env: {
      PORT: '0',
      STATE_DIR: stateDir,
      DATA_DIR: join(ROOT, 'data'),
      STARTER_JOB: 'off',
      TRAINING_WORKERS: '3',
      // As in the image and in npm start.
      MALLOC_MMAP_THRESHOLD_: '131072',
    },
  });
}

/** Repeats the request while the service is overloaded. */
async function send(what: string, request: () => Promise<Response>): Promise<void> {
  for (let rejected = 0; ; rejected++) {
    const response = await request();
    await response.arrayBuffer();
    if (response.status !== 503) {
      log(`${what}: ${response.status}${rejected > 0 ? ` after ${rejected} × 503` : ''}`);
      return;
    }
    await wait(1000 * Number(response.headers.get('retry-after') ?? 5));
  }
}

const asJson = (body: object) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

function startJob(url: string, n: number): Promise<void> {
  const body = {
    dataset: 'fashion-mnist',
    modelName: `wide-${n}`,
    network: { hidden: [1200, 1200] },
    training: { epochs: 1 },
  };
  return send(`job ${n}`, () => fetch(`${url}/v1/training-jobs`, asJson(body)));
}

function checkGradient(url: string, n: number): Promise<void> {
  const body = { network: { hidden: [1500, 1500] }, examples: 2, coordinates: { sample: 100 }, seed: n };
  return send(`gradient check ${n}`, () => fetch(`${url}/v1/gradient-checks`, asJson(body)));
}

async function upload(url: string, n: number): Promise<void> {
  const form = new FormData();
  for (const part of ['train_images', 'train_labels', 'test_images', 'test_labels']) {
    form.append(part, await openAsBlob(join(ROOT, `data/fashion_mnist_${part}.npy`)), part);
  }
  form.append('name', `copy ${n}`);
  await send(`upload ${n}`, () => fetch(`${url}/v1/datasets`, { method: 'POST', body: form }));
}

interface Job {
  readonly id: string;
  readonly status: string;
  readonly waiting?: string | null;
}

/** Logs every change of the jobs until all have ended. */
async function followJobs(url: string): Promise<void> {
  let before = '';
  for (;;) {
    await wait(500);
    const response = await fetch(`${url}/v1/training-jobs`);
    // Lists are the first to be rejected when the event loop is late.
    if (!response.ok) continue;
    const { data } = (await response.json()) as { data: Job[] };
    const states = data.map(({ status, waiting }) => (waiting ? `${status} (${waiting})` : status));
    const now = states.toReversed().join(', ');
    if (now !== before) log(`jobs: ${now}`);
    before = now;
    if (data.length > 0 && states.every((state) => /^(succeeded|failed|cancelled|paused)$/.test(state)))
      return;
    await wait(500);
  }
}

function peakMebibytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}

const range = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

console.log(`${describeMachine()}; a cgroup of ${limit} MiB without swap; ${folder}`);
const cgroup = createCgroup(Number(limit));
await withState(async (stateDir) => {
  for (const start of range(STARTS)) {
    const server = await startIn(cgroup.path, stateDir);
    log(`start ${start}`);
    const work =
      start === 1
        ? [
            ...range(JOBS).map((n) => startJob(server.url, n)),
            ...range(UPLOADS).map((n) => upload(server.url, n)),
            ...range(CHECKS).map((n) => checkGradient(server.url, n)),
          ]
        : [];
    try {
      await Promise.all([...work, followJobs(server.url)]);
      log(`completed; largest resident memory ${Math.round(peakMebibytes(server.pid))} MiB`);
      await server.stop();
      return;
    } catch (error) {
      log(`the service ended: ${error instanceof Error ? error.message : error}; kills: ${cgroup.kills()}`);
    }
  }
});
log(`processes that the kernel killed: ${cgroup.kills()}`);
cgroup.remove();
