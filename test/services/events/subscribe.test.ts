import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import {
  createEventSubscriptions,
  createSearchSubscriptions,
  type EventPage,
} from '../../../src/services/events/subscribe.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { failure, newJob, temporaryStore } from '../../store/fixtures.ts';

const idsOf = (pages: EventPage[]) => pages.flat().map(({ id }) => id);

async function followed(
  t: TestContext,
  options: { quietMs?: number; events?: number } = {},
): Promise<{ store: Store; jobId: string; follow: ReturnType<typeof createEventSubscriptions> }> {
  const store = await temporaryStore(t);
  const jobId = await newJob(store);
  for (let n = 1; n < (options.events ?? 1); n++) await store.events.append(jobId, 'warning', { n });
  return { store, jobId, follow: createEventSubscriptions(store, options.quietMs) };
}

async function open(
  follow: ReturnType<typeof createEventSubscriptions>,
  jobId: string,
  { after = 0, signal = new AbortController().signal } = {},
) {
  const pages = await follow(jobId, { after, parameter: 'after' });
  assert.ok(pages, 'there is something to follow');
  return pages(signal);
}

test('events appended during paging reach all subscribers once and in order', async (t) => {
  const { store, jobId, follow } = await followed(t, { events: 250 });
  const followers = Array.from({ length: 20 }, async (_, n) =>
    idsOf(await Array.fromAsync(await open(follow, jobId, { after: n * 10 }))),
  );
  for (let n = 0; n < 50; n++) {
    await Promise.all([store.events.append(jobId, 'warning', {}), store.events.append(jobId, 'warning', {})]);
  }
  await store.jobs.requestCancel(jobId);
  for (const [n, ids] of (await Promise.all(followers)).entries()) {
    assert.deepEqual(
      ids,
      Array.from({ length: 351 - n * 10 }, (_, index) => n * 10 + index + 1),
    );
  }
});

test('subscribers with the same cursor share one read', async (t) => {
  const { store, jobId } = await followed(t, { events: 3 });
  let readings = 0;
  const list: Store['events']['list'] = (...query) => {
    readings += 1;
    return store.events.list(...query);
  };
  const follow = createEventSubscriptions({ ...store, events: { ...store.events, list } });
  const followers = [];
  for (let n = 0; n < 5; n++) followers.push((await open(follow, jobId))[Symbol.asyncIterator]());
  const stored = await Promise.all(followers.map((follower) => follower.next()));
  const next = followers.map((follower) => follower.next());
  await store.events.append(jobId, 'warning', {});
  const live = await Promise.all(next);
  for (const { value } of stored) assert.equal(value, stored[0]!.value);
  for (const { value } of live) assert.equal(value, live[0]!.value);
  assert.deepEqual(idsOf([stored[0]!.value, live[0]!.value]), [1, 2, 3, 4]);
  assert.ok(readings <= 3, `what was stored, that it is all, and the new one: ${readings}`);
  await Promise.all(followers.map((follower) => follower.return?.()));
});

test('yields an empty page after a quiet interval, then the next events', async (t) => {
  const { store, jobId, follow } = await followed(t, { quietMs: 5 });
  const pages: EventPage[] = [];
  for await (const page of await open(follow, jobId)) {
    pages.push(page);
    if (pages.length === 3) await store.jobs.requestCancel(jobId);
  }
  assert.deepEqual(idsOf(pages), [1, 2]);
  assert.deepEqual([pages[1], pages[2]], [[], []]);
});

test('ends when the job is deleted before its last event was read', async (t) => {
  const { store, jobId, follow } = await followed(t);
  const followers = [];
  for (let n = 0; n < 2; n++) followers.push((await open(follow, jobId))[Symbol.asyncIterator]());
  for (const follower of followers) assert.deepEqual(idsOf([(await follower.next()).value]), [1]);
  await store.jobs.requestCancel(jobId);
  await store.jobs.remove(jobId);
  for (const follower of followers) assert.equal((await follower.next()).done, true);
});

test('ends when its signal aborts, waiting or not', async (t) => {
  const { jobId, follow } = await followed(t);
  const hungUp = new AbortController();
  const waiting = (await open(follow, jobId, { signal: hungUp.signal }))[Symbol.asyncIterator]();
  assert.deepEqual(idsOf([(await waiting.next()).value]), [1]);
  const next = waiting.next();
  hungUp.abort();
  assert.equal((await next).done, true);
  assert.deepEqual(await Array.fromAsync(await open(follow, jobId, { signal: hungUp.signal })), []);
});

test('yields the remaining events of an ended job, then ends', async (t) => {
  const { store, jobId, follow } = await followed(t);
  await store.jobs.requestCancel(jobId);
  const place = { after: 2, parameter: 'after' };
  assert.equal(await follow(jobId, place), undefined);
  await store.events.append(jobId, 'warning', {});
  assert.deepEqual(idsOf(await Array.fromAsync(await open(follow, jobId, { after: 2 }))), [3]);
  assert.deepEqual(idsOf(await Array.fromAsync(await open(follow, jobId))), [1, 2, 3]);
  assert.equal(await follow(jobId, { ...place, after: 3 }), undefined);
});

test('rejects an unknown event id and an unknown job', async (t) => {
  const { jobId, follow } = await followed(t);
  await assert.rejects(
    follow(jobId, { after: 2, parameter: 'Last-Event-ID' }),
    failure('impossible-request', 'Last-Event-ID', 'event 2 does not exist yet'),
  );
  await assert.rejects(
    follow('job_nobody', { after: 0, parameter: 'after' }),
    failure('training-job-not-found', 'job_nobody'),
  );
});

test('an outage of the database holds a stream up, and does not end it', async (t) => {
  const { store, jobId } = await followed(t, { events: 3 });
  let isAway = false;
  const list: Store['events']['list'] = async (...query) => {
    if (isAway) throw new AtelierError('storage-unavailable', 'The database does not answer.');
    return store.events.list(...query);
  };
  const follow = createEventSubscriptions({ ...store, events: { ...store.events, list } }, 5);
  const pages = (await open(follow, jobId))[Symbol.asyncIterator]();
  assert.deepEqual(idsOf([(await pages.next()).value]), [1, 2, 3]);
  isAway = true;
  await store.jobs.requestCancel(jobId);
  assert.deepEqual([(await pages.next()).value, (await pages.next()).value], [[], []]);
  isAway = false;
  assert.deepEqual(idsOf([(await pages.next()).value]), [4]);
  assert.equal((await pages.next()).done, true);
});

test('rejects an unknown search', async (t) => {
  const follow = createSearchSubscriptions(await temporaryStore(t));
  await assert.rejects(
    follow('sea_nobody', { after: 0, parameter: 'after' }),
    failure('search-not-found', 'Search sea_nobody does not exist.'),
  );
});

test('a quiet stream ends if its job is gone, and goes on if the job cannot be read', async (t) => {
  const { store, jobId } = await followed(t);
  let get: Store['jobs']['get'] = store.jobs.get;
  const jobs = { ...store.jobs, get: (id: string) => get(id) };
  const follow = createEventSubscriptions({ ...store, jobs }, 5);
  const pages = (await open(follow, jobId))[Symbol.asyncIterator]();
  assert.deepEqual(idsOf([(await pages.next()).value]), [1]);
  get = () => Promise.reject(new AtelierError('storage-unavailable', 'The database does not answer.'));
  for (let n = 0; n < 3; n++) assert.deepEqual((await pages.next()).value, []);
  get = async () => undefined;
  assert.equal((await pages.next()).done, true);
});
