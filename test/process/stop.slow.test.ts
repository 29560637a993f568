import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { serviceAddress, startProcess, untilServedJob } from '../support/start-process.ts';
import { hasEnded, temporaryDirectory, tiny } from '../support/start-service.ts';

const IMAGES = 1000;

async function startWithModel(t: TestContext, environment: Record<string, string> = {}) {
  const service = startProcess(t, await temporaryDirectory(t), environment);
  const base = await serviceAddress(service);
  const headers = { 'content-type': 'application/json' };
  const started = await fetch(`${base}/v1/training-jobs`, {
    method: 'POST',
    headers,
    body: JSON.stringify(tiny()),
  });
  const { id } = (await started.json()) as TrainingJob;
  await untilServedJob(base, id, hasEnded);
  return { ...service, base };
}

/** Resolves when the service has read the head of the request and is waiting for its body. */
async function begin(url: string, type: string, length: number): Promise<ClientRequest> {
  const sent = request(url, {
    method: 'POST',
    headers: { 'content-type': type, 'content-length': length, expect: '100-continue' },
  });
  sent.on('error', () => {}).flushHeaders();
  await once(sent, 'continue');
  return sent;
}

async function finish(sent: ClientRequest, body: Buffer | string) {
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  sent.end(body);
  const [response] = await answered;
  return { status: response.statusCode, body: (await json(response)) as Record<string, unknown> };
}

async function untilNotReady(base: string): Promise<object> {
  for (;;) {
    const ready = await fetch(`${base}/health/ready`);
    const said = (await ready.json()) as object;
    if (ready.status === 503) return said;
    assert.equal(ready.status, 200);
  }
}

test('after SIGTERM in-flight requests are completed, and readiness fails', async (t) => {
  const { base, child, exited, output } = await startWithModel(t);
  const check = JSON.stringify({ examples: 20 });
  const predicting = await begin(
    `${base}/v1/models/fashion-mnist/predictions`,
    'application/octet-stream',
    IMAGES * 784,
  );
  const checking = await begin(`${base}/v1/gradient-checks`, 'application/json', check.length);
  child.kill('SIGTERM');
  assert.deepEqual(await untilNotReady(base), {
    ready: false,
    checks: { database: true, datasets: true, accepting: false, storage: true },
  });
  const refused = await fetch(`${base}/v1/models`);
  assert.deepEqual([refused.status, refused.headers.get('connection')], [503, 'close']);
  const [predicted, checked] = await Promise.all([
    finish(predicting, Buffer.alloc(IMAGES * 784, 1)),
    finish(checking, check),
  ]);
  assert.equal(predicted.status, 200);
  assert.equal((predicted.body['predictions'] as unknown[]).length, IMAGES);
  assert.deepEqual([checked.status, checked.body['passed']], [200, true]);
  assert.deepEqual(await exited, [0, null], output());
});

test('a request that does not end is cut off in time for a graceful shutdown', async (t) => {
  const { base, child, exited, output } = await startWithModel(t, { SHUTDOWN_GRACE_SECONDS: '3' });
  await begin(`${base}/v1/models/fashion-mnist/predictions`, 'application/octet-stream', 784);
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null], output());
  assert.match(output(), /closing connections whose requests took too long[\s\S]*"msg":"stopped"\}$/);
});

test('a second signal ends the process immediately', async (t) => {
  const { base, child, exited, output } = await startWithModel(t);
  await begin(`${base}/v1/models/fashion-mnist/predictions`, 'application/octet-stream', 784);
  child.kill('SIGTERM');
  await untilNotReady(base);
  let ended = false;
  void exited.then(() => (ended = true));
  // The service may coalesce the first of these signals with the one before.
  while (!ended) {
    child.kill('SIGTERM');
    await setTimeout(20);
  }
  assert.deepEqual(await exited, [1, null], output());
  assert.match(output(), /second signal received/);
});

test('a signal during loading ends the process with code 0', async (t) => {
  const { child, exited, output } = startProcess(t, await temporaryDirectory(t));
  // SigCgt is the mask of handled signals. Node by itself handles SIGTERM but not SIGHUP, the lowest bit.
  const hears = () => /SigCgt:\s+\w*[13579bdf]\n/.test(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
  while (!hears()) await setTimeout(1);
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
  assert.doesNotMatch(output(), /Atelier serves/);
});
