import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALONE, createLocalNotices } from '../../../src/store/database/notices.ts';
import { publish, request, temporaryStore, untouched } from '../fixtures.ts';

test('a process alone gets a notice of its events when they are committed', async (t) => {
  const store = await temporaryStore(t);
  const notices = createLocalNotices(store.events);
  const received: string[] = [];
  notices.on('event', (jobId) => received.push(jobId));
  const job = await store.jobs.create(request(), untouched);
  assert.deepEqual(received, [job.id]);
  assert.ok(ALONE.isTrusted() && !ALONE.isCutOff());
  await ALONE.reach();
});

test('the success of a job is announced as a change of its model, before its event', async (t) => {
  const store = await temporaryStore(t);
  const notices = createLocalNotices(store.events);
  const received: string[] = [];
  await publish(store, 'shoes');
  notices.on('models', (name) => received.push(name));
  notices.on('event', () => received.push('event'));
  await publish(store, 'shoes');
  assert.deepEqual(received.slice(-2), ['shoes', 'event']);
});
