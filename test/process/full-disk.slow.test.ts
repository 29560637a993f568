/** A full disk in a mount namespace: requests that free space or stop work succeed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { open, readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import type { PredictionJob } from '../../src/domain/predictions/job.ts';
import { npz, small } from '../datasets/upload/fixtures.ts';
import { openStream } from '../http/read-events.ts';
import { encodeForm } from '../http/upload.ts';
import { DATA_DIR } from '../support/data-directory.ts';
import { requestJson, serviceAddress, startProcess, untilServedJob } from '../support/start-process.ts';
import { endless, hasEnded, isUnderway, temporaryDirectory, tiny } from '../support/start-service.ts';

/** Runs a command with a disk of 24 MiB in the place of a directory. */
const withDisk = (directory: string) => {
  const mount = 'mount -t tmpfs -o size=24m tmpfs "$0" && exec "$@"';
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  return ['unshare', ...user, '--mount', 'bash', '-c', mount, directory];
};

/** A service whose state is on a small disk of its own; undefined if mounting is not permitted. */
async function startOnSmallDisk(t: TestContext) {
  const stateDir = await temporaryDirectory(t);
  const [command, ...args] = withDisk(stateDir);
  if (spawnSync(command!, [...args, 'true']).status !== 0) return undefined;
  const service = startProcess(t, stateDir, { TRAINING_WORKERS: '1' }, withDisk(stateDir));
  const base = await serviceAddress(service);
  const filler = join(`/proc/${service.child.pid}/root`, stateDir, 'filler');

  async function fillDisk(): Promise<void> {
    const file = await open(filler, 'a');
    try {
      for (let size = 2 ** 20; size >= 1; size /= 2) {
        for (let full = false; !full; ) {
          full = await file.write(new Uint8Array(size)).then(
            ({ bytesWritten }) => bytesWritten < size,
            () => true,
          );
        }
      }
    } finally {
      await file.close();
    }
  }

  /** Fills the disk, and resolves when the running job is waiting for storage. */
  async function fillUntilJobWaits(): Promise<void> {
    await fillDisk();
    while (!service.output().includes('failed to store the state of a job, retrying')) await setTimeout(10);
  }

  return {
    base,
    fillDisk,
    fillUntilJobWaits,
    freeDisk: () => rm(filler),
    /** Frees a part of what `fillDisk` wrote. */
    freeBytes: async (bytes: number) => truncate(filler, (await stat(filler)).size - bytes),
  };
}

test('deletions, cancellations and pauses succeed on a full disk', async (t) => {
  const service = await startOnSmallDisk(t);
  if (service === undefined) return t.skip('mounting is not permitted');
  const { base, fillDisk, fillUntilJobWaits, freeDisk } = service;
  const call = async (method: string, path: string, status: number) => {
    const response = await fetch(`${base}/v1/${path}`, { method });
    const body = await response.text();
    assert.equal(response.status, status, `${method} ${path}: ${body}`);
    return body;
  };
  const upload = async () => {
    const { payload, headers } = await encodeForm({ file: npz(small()) });
    return fetch(`${base}/v1/datasets`, { method: 'POST', body: new Uint8Array(payload), headers });
  };
  const jobs = `${base}/v1/training-jobs`;

  const dataset = ((await (await upload()).json()) as { id: string }).id;
  for (const modelName of ['first', 'second', 'second']) {
    const { id } = await requestJson<TrainingJob>(jobs, tiny({ modelName }));
    await untilServedJob(base, id, hasEnded);
  }
  const alias = { method: 'PUT', body: '{"version":1}', headers: { 'content-type': 'application/json' } };
  assert.equal((await fetch(`${base}/v1/models/first/aliases/old`, alias)).status, 201);
  const { id: running } = await requestJson<TrainingJob>(jobs, endless);
  const { id: queued } = await requestJson<TrainingJob>(jobs, tiny());
  await untilServedJob(base, running, isUnderway);

  await fillUntilJobWaits();
  assert.equal((await upload()).status, 507);
  await call('GET', 'models/first/versions/1/export?format=safetensors', 507);

  for (const [method, path, status] of [
    ['DELETE', 'models/first/aliases/old', 204],
    ['DELETE', 'models/first', 204],
    ['DELETE', 'models/second/versions/2', 204],
    ['DELETE', `datasets/${dataset}`, 204],
    ['POST', `training-jobs/${queued}/pause`, 202],
    ['POST', `training-jobs/${queued}/cancel`, 202],
    ['POST', `training-jobs/${running}/cancel`, 202],
  ] as const) {
    await fillDisk();
    await call(method, path, status);
  }
  while (!hasEnded(await requestJson<TrainingJob>(`${jobs}/${running}`))) await setTimeout(50);
  assert.equal((await requestJson<TrainingJob>(`${jobs}/${running}`)).status, 'cancelled');
  await freeDisk();
  assert.equal((await upload()).status, 201);
});

test('a job that is waiting for a full disk shows this, and continues when there is space', async (t) => {
  const service = await startOnSmallDisk(t);
  if (service === undefined) return t.skip('mounting is not permitted');
  const { base, fillUntilJobWaits, freeDisk } = service;
  const jobs = `${base}/v1/training-jobs`;
  const { id } = await requestJson<TrainingJob>(jobs, endless);
  await untilServedJob(base, id, isUnderway);
  const readStatus = async () => {
    const [{ waiting }, list, ready, metrics] = await Promise.all([
      requestJson<TrainingJob>(`${jobs}/${id}`),
      requestJson<{ data: TrainingJob[] }>(jobs),
      requestJson<{ ready: boolean; checks: { storage: boolean } }>(`${base}/health/ready`),
      fetch(`${base}/metrics`).then((response) => response.text()),
    ]);
    const [, count] = /^atelier_jobs_waiting_for_storage (\d+)$/m.exec(metrics) ?? [];
    return {
      waiting,
      listed: list.data[0]!.waiting,
      ready: ready.ready,
      storage: ready.checks.storage,
      count,
    };
  };
  const fine = { waiting: null, listed: null, ready: true, storage: true, count: '0' };
  assert.deepEqual(await readStatus(), fine);
  await fillUntilJobWaits();
  assert.deepEqual(await readStatus(), {
    waiting: 'storage',
    listed: 'storage',
    ready: true,
    storage: false,
    count: '1',
  });
  await freeDisk();
  const events: unknown[] = [];
  const stream = await openStream(`${jobs}/${id}/events`);
  for await (const { type, data } of stream.events()) {
    if ('waiting' in data) events.push([type, data['code'], data['waiting']]);
    if (data['waiting'] === null) break;
  }
  assert.deepEqual(events, [
    ['warning', 'storage-full', 'storage'],
    ['warning', 'storage-full', null],
  ]);
  // The process counts the job until the write that ends the wait has returned.
  while ((await readStatus()).count !== '0') await setTimeout(10);
  assert.deepEqual(await readStatus(), fine);
});

test('a prediction job whose result does not fit on the disk fails, and its file is not accepted', async (t) => {
  const service = await startOnSmallDisk(t);
  if (service === undefined) return t.skip('mounting is not permitted');
  const { base, fillDisk, freeBytes, freeDisk } = service;
  const jobs = `${base}/v1/prediction-jobs`;
  const trained = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, tiny({ modelName: 'small' }));
  await untilServedJob(base, trained.id, hasEnded);
  const predictAll = async () => {
    const { id } = await requestJson<PredictionJob>(jobs, {
      model: 'small',
      dataset: 'fashion-mnist',
      split: 'train',
    });
    for (;;) {
      const job = await requestJson<PredictionJob>(`${jobs}/${id}`);
      if (job.finishedAt !== null) return job;
      await setTimeout(10);
    }
  };
  await fillDisk();
  const form = new FormData();
  form.append('model', 'small');
  form.append('file', new Blob([await readFile(join(DATA_DIR, 'fashion_mnist_test_images.npy'))]));
  const rejected = await fetch(jobs, { method: 'POST', body: form });
  const problem = (await rejected.json()) as { code: string };
  assert.deepEqual([rejected.status, problem.code], [507, 'storage-full']);
  // Enough for the rows of the job, but not for the matrix of 240 kB.
  await freeBytes(200_000);
  const failed = await predictAll();
  assert.deepEqual([failed.status, failed.error?.code], ['failed', 'storage-full']);
  await freeDisk();
  assert.equal((await predictAll()).status, 'succeeded');
});
