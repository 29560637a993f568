/** Jobs of a process that can open no more files. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';
import type { JobEvent, TrainingJob } from '../../../src/domain/jobs/training.ts';
import type { PredictionJob } from '../../../src/domain/predictions/job.ts';
import { requestJson, serviceAddress, startProcess, untilServedJob } from '../../support/start-process.ts';
import { hasEnded, temporaryDirectory, tiny } from '../../support/start-service.ts';

const FILES = 150;
const CONNECTIONS = 300;
/** Less than a run needs. */
const FREE_FILES = 16;

/** The only connection of the requests while no other one is accepted: `fetch` may open another at any time. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

async function send<T>(url: string, body?: object): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const sent = request(url, { agent, ...(body && { method: 'POST', headers }) });
  sent.end(body && JSON.stringify(body));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return (await json(response)) as T;
}

const openFiles = async (pid: number) => (await readdir(`/proc/${pid}/fd`)).length;

/** Opens connections until the process can open hardly any more files. */
async function takeFiles(base: string, pid: number): Promise<Socket[]> {
  const { hostname, port } = new URL(base);
  // Its connection is kept alive for the requests below.
  await send(`${base}/health/live`);
  const sockets = Array.from({ length: CONNECTIONS }, () => connect(Number(port), hostname));
  // The process closes connections for which it has no file.
  for (const socket of sockets) socket.on('error', () => {});
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  // The system accepts a connection before the process does. The requests keep the connection of this test open.
  while ((await openFiles(pid)) < FILES - FREE_FILES) {
    await send(`${base}/health/live`);
  }
  return sockets;
}

test('jobs wait until the process can open files, and lose no attempt', async (t) => {
  const launcher = ['sh', '-c', `ulimit -n ${FILES}; exec "$@"`, 'sh'];
  const service = startProcess(t, await temporaryDirectory(t), {}, launcher);
  const base = await serviceAddress(service);
  assert.match(service.output(), new RegExp(`can open ${FILES} files.* need 4100`));
  const first = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, tiny({ modelName: 'small' }));
  const undisturbed = await untilServedJob(base, first.id, hasEnded);

  const pid = service.child.pid!;
  const usedFiles = await openFiles(pid);
  const sockets = await takeFiles(base, pid);
  t.after(() => {
    agent.destroy();
    for (const socket of sockets) socket.destroy();
  });
  const { id } = await send<TrainingJob>(`${base}/v1/training-jobs`, tiny({ modelName: 'waiting' }));
  const predicting = await send<PredictionJob>(`${base}/v1/prediction-jobs`, {
    model: 'small',
    dataset: 'fashion-mnist',
  });
  for (;;) {
    const job = await send<TrainingJob>(`${base}/v1/training-jobs/${id}`);
    assert.equal(job.finishedAt, null, JSON.stringify(job));
    if (job.waiting === 'storage') break;
  }
  for (const socket of sockets) socket.destroy();
  // Until the process has closed them, it resets each new connection.
  while ((await openFiles(pid)) > usedFiles + FREE_FILES) await send(`${base}/health/live`);
  const job = await untilServedJob(base, id, hasEnded);
  assert.deepEqual([job.status, job.attempts, job.digest], ['succeeded', 1, undisturbed.digest]);
  const { data } = await requestJson<{ data: JobEvent[] }>(`${base}/v1/training-jobs/${id}/events`);
  const codes = data.flatMap(({ type, data: { code } }) => (type === 'warning' ? [code] : []));
  assert.ok(codes.length > 0 && codes.every((code) => code === 'too-many-open-files'), codes.join());
  for (;;) {
    const { status } = await requestJson<PredictionJob>(`${base}/v1/prediction-jobs/${predicting.id}`);
    if (status === 'succeeded') break;
    assert.notEqual(status, 'failed');
  }
});
