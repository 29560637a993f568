import assert from 'node:assert/strict';
import type { WebhookMessage } from '../../../src/domain/jobs/webhook-message.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { request, startRun, temporaryStore, untouched } from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

const notify = { url: 'https://hooks.example/', secret: `whsec_${Buffer.alloc(24, 7).toString('base64')}` };

async function readMessage(store: Store): Promise<WebhookMessage> {
  const at = new Date(Date.now() + 1000);
  return JSON.parse((await store.webhooks.claim(at, new Date(at.getTime() + 20_000)))!.body);
}

storeTest('the message of a failed job has its error, its trace and what it was to train', async (t) => {
  const store = await temporaryStore(t);
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const { id, createdAt } = await store.jobs.create(request('shoes'), untouched, { notify, traceparent });
  const run = await startRun(store, id);
  const error = { code: 'worker-crashed', message: 'gone' } as const;
  const { startedAt, finishedAt } = await run.finish({ status: 'failed', step: 0, error });
  const { type, data } = await readMessage(store);
  assert.equal(type, 'training-job.failed');
  assert.deepEqual(data, {
    id,
    status: 'failed',
    dataset: 'fashion-mnist',
    modelName: 'shoes',
    metadata: { who: 'a test' },
    createdAt,
    startedAt,
    finishedAt,
    stoppedAt: { step: 0, reason: 'failed' },
    pauseReason: null,
    model: null,
    publication: null,
    digest: null,
    error,
    traceparent,
  });
});

storeTest(
  'the message of a job without a trace has none, and nothing of a run that never began',
  async (t) => {
    const store = await temporaryStore(t);
    const { id } = await store.jobs.create(request('shoes'), untouched, { notify });
    const { stoppedAt } = await store.jobs.requestCancel(id);
    const { type, data } = await readMessage(store);
    assert.equal(type, 'training-job.cancelled');
    assert.deepEqual([data.startedAt, data.error, data.stoppedAt], [null, null, stoppedAt]);
    assert.ok(!('traceparent' in data));
  },
);

storeTest('a job without a webhook queues no message, nor does one that only starts', async (t) => {
  const store = await temporaryStore(t);
  const { id } = await store.jobs.create(request('shoes'), untouched);
  await store.jobs.requestCancel(id);
  const other = await store.jobs.create(request('shoes'), untouched, { notify });
  await startRun(store, other.id);
  assert.equal(await store.webhooks.nextDue(), null);
  assert.equal((await store.jobs.get(id))!.notify, null);
});
