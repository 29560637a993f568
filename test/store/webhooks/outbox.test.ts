import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { WebhookMessage } from '../../../src/domain/jobs/webhook-message.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import type { ClaimedMessage } from '../../../src/store/webhooks/outbox.ts';
import {
  idempotencyRecord,
  request,
  runOf,
  startRun,
  temporaryDirectory,
  temporaryStore,
  trained,
  untouched,
} from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

const notify = {
  url: 'https://hooks.example/x?team=1',
  secret: `whsec_${Buffer.alloc(24, 7).toString('base64')}`,
};
const later = (ms: number) => new Date(Date.now() + ms);
const claim = (store: Store, at = later(1000)) => store.webhooks.claim(at, new Date(at.getTime() + 20_000));
const bodyOf = (message: ClaimedMessage | undefined) => JSON.parse(message!.body) as WebhookMessage;
const stateOf = async (store: Store, id: string) => (await store.jobs.get(id))!.notify;

async function runningJob(store: Store): Promise<string> {
  const { id } = await store.jobs.create(request(), untouched, {
    notify,
    idempotency: idempotencyRecord('key'),
  });
  await startRun(store, id);
  return id;
}

storeTest('the end of a job queues one message, and one claim gets it', async (t) => {
  const store = await temporaryStore(t);
  const id = await runningJob(store);
  const idle = { url: notify.url, deliveredAt: null, attempts: 0, lastError: null, nextAttemptAt: null };
  assert.deepEqual(await stateOf(store, id), idle);
  assert.deepEqual([await claim(store), await store.webhooks.nextDue()], [undefined, null]);

  await store.blobs.putReferenced(Buffer.from('parameters'), (digest) =>
    runOf(id).finish({ status: 'succeeded', step: 8440, reason: 'completed', model: { ...trained, digest } }),
  );
  const due = await store.webhooks.nextDue();
  assert.equal((await stateOf(store, id))!.nextAttemptAt, due!.toISOString());
  assert.equal((await store.readJobGauges()).pendingWebhooks, 1);

  const claims = await Promise.all(Array.from({ length: 8 }, () => claim(store)));
  const [message, ...others] = claims.filter((claimed) => claimed !== undefined);
  assert.deepEqual(others, []);
  const { messageId, body, ...claimed } = message!;
  assert.match(messageId, /^msg_[0-9A-Z]{26}$/);
  assert.deepEqual(claimed, { jobId: id, ...notify, attempts: 1 });
  const job = (await store.jobs.get(id))!;
  const { type, timestamp, data } = JSON.parse(body) as WebhookMessage;
  assert.equal(type, 'training-job.succeeded');
  // Both are times of the clock for rows, which can be ahead of the one by which messages are sent.
  assert.ok(timestamp >= job.finishedAt!, timestamp);
  assert.deepEqual(
    data,
    Object.fromEntries(Object.keys(data).map((key) => [key, job[key as keyof typeof job]])),
  );
  assert.deepEqual([data.model, data.digest], [{ name: 'fashion-mnist', version: 1 }, job.digest]);

  await store.webhooks.record(message!, { type: 'delivered', at: due! });
  const deliveredAt = due!.toISOString();
  assert.deepEqual(await stateOf(store, id), { ...idle, attempts: 1, deliveredAt });
  assert.equal((await store.readJobGauges()).pendingWebhooks, 0);
  assert.equal(await claim(store, later(1e6)), undefined);
});

storeTest('a claim ends after its time, and its late outcome changes nothing', async (t) => {
  const store = await temporaryStore(t);
  const id = await runningJob(store);
  await store.jobs.requestCancel(id);
  await runOf(id).release();
  const lost = (await claim(store))!;
  assert.equal(bodyOf(lost).type, 'training-job.cancelled');
  assert.equal(await claim(store), undefined);
  const second = (await claim(store, later(30_000)))!;
  assert.deepEqual([second.messageId, second.attempts], [lost.messageId, 2]);
  await store.webhooks.record(lost, { type: 'delivered', at: new Date() });
  assert.equal((await stateOf(store, id))!.attempts, 0);

  const revision = async () => (await store.jobs.revisions({ limit: 1 })).data[0]!.revision;
  const before = await revision();
  const retryAt = later(5000);
  await store.webhooks.record(second, { type: 'failed', error: 'Gone astray.', retryAt });
  const { attempts, lastError, nextAttemptAt } = (await stateOf(store, id))!;
  assert.deepEqual([attempts, lastError, nextAttemptAt], [2, 'Gone astray.', retryAt.toISOString()]);
  assert.notEqual(await revision(), before);

  const interrupted = (await claim(store, retryAt))!;
  await store.webhooks.record(interrupted, { type: 'interrupted', retryAt });
  const last = (await claim(store, retryAt))!;
  assert.deepEqual([interrupted.attempts, last.attempts], [3, 3]);
  await store.webhooks.record(last, { type: 'failed', error: 'Never again.', retryAt: null });
  const given = (await stateOf(store, id))!;
  assert.deepEqual([given.lastError, given.nextAttemptAt, given.deliveredAt], ['Never again.', null, null]);
  assert.equal(await store.webhooks.nextDue(), null);
});

storeTest(
  'a pause by the service is reported, one by a client is not, and a later message replaces it',
  async (t) => {
    const store = await temporaryStore(t);
    const { id } = await store.jobs.create(request(), untouched, { notify });
    await store.jobs.requestPause(id);
    await store.jobs.resume(id);
    assert.equal(await store.webhooks.nextDue(), null);
    for (let n = 0; n < 5; n++) {
      await startRun(store, id);
      await store.jobs.recoverInterrupted();
    }
    const paused = (await claim(store))!;
    const { data } = bodyOf(paused);
    assert.deepEqual([data.status, data.finishedAt], ['paused', null]);
    assert.match(data.pauseReason!, /ended 5 times/);
    await store.webhooks.record(paused, { type: 'failed', error: 'Asleep.', retryAt: later(0) });
    await store.jobs.requestCancel(id);
    const cancelled = (await claim(store))!;
    assert.deepEqual([bodyOf(cancelled).type, cancelled.attempts], ['training-job.cancelled', 1]);
    assert.notEqual(cancelled.messageId, paused.messageId);
    assert.equal(await claim(store), undefined);
    await store.jobs.remove(id);
    assert.equal(await store.webhooks.nextDue(), null);
    await store.webhooks.record(cancelled, { type: 'failed', error: 'Too late.', retryAt: later(0) });
  },
);

test('no file contains the secrets of delivered messages and deleted jobs', async (t) => {
  const directory = await temporaryDirectory(t);
  const holdsSecret = async () => {
    const names = (await readdir(directory)).filter((name) => name.startsWith('atelier.sqlite'));
    const files = await Promise.all(names.map((name) => readFile(join(directory, name))));
    return files.some((bytes) => bytes.includes(notify.secret));
  };
  const store = await openStore(directory);
  // Rows of several pages.
  const ids = await Promise.all(
    Array.from({ length: 12 }, async () => (await store.jobs.create(request(), untouched, { notify })).id),
  );
  assert.ok(await holdsSecret());
  for (const [index, id] of ids.entries()) {
    await store.jobs.requestCancel(id);
    if (index % 2 === 0) await store.jobs.remove(id);
    else await store.webhooks.record((await claim(store))!, { type: 'delivered', at: new Date() });
  }
  await store.close();
  assert.equal(await holdsSecret(), false);
});
