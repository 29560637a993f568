import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { AtelierError } from '../../../src/errors.ts';
import {
  createIdempotencyService,
  type IdempotencyService,
} from '../../../src/services/operations/idempotency.ts';
import {
  AlreadyAnswered,
  type IdempotencyRecord,
  type KeyedRequest,
  type StoredResponse,
} from '../../../src/store/idempotency.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { failure, idempotencyRecord, request, temporaryStore, untouched } from '../../store/fixtures.ts';

const DAY_MS = 24 * 3_600_000;
const keyed: KeyedRequest = { caller: 'anonymous', key: 'k', fingerprint: 'f' };
const renderResponse = idempotencyRecord('k').render;

/** An idempotency service whose clock the test sets. */
const service = (store: Store, clock = { now: new Date('2027-01-31T12:00:00.000Z') }): IdempotencyService =>
  createIdempotencyService(store, () => clock.now);

const createIn = (store: Store) => (kept: IdempotencyRecord<TrainingJob>) =>
  store.jobs.create(request(), untouched, { idempotency: kept });

async function respondTo(
  once: IdempotencyService,
  store: Store,
  of = keyed,
): Promise<[StoredResponse['body'], boolean]> {
  const { response: answer, replayed } = await once.respond(of, createIn(store), renderResponse);
  return [answer.body, replayed];
}

test('a response is replayed for 24 hours, then the request creates again', async (t) => {
  const store = await temporaryStore(t);
  const clock = { now: new Date('2027-01-31T12:00:00.000Z') };
  const once = service(store, clock);
  const [id, replayed] = await respondTo(once, store);
  assert.equal(replayed, false);
  clock.now = new Date(clock.now.getTime() + DAY_MS - 1);
  assert.deepEqual(await respondTo(once, store), [id, true]);
  clock.now = new Date(clock.now.getTime() + 1);
  const [next, again] = await respondTo(once, store);
  assert.notEqual(next, id);
  assert.equal(again, false);
  assert.deepEqual(await respondTo(once, store), [next, true]);
  assert.equal(await store.jobs.count('queued'), 2);
});

test('two callers can use the same key for different requests, even concurrently', async (t) => {
  const store = await temporaryStore(t);
  const once = service(store);
  const other = { ...keyed, caller: 'other', fingerprint: 'g' };
  const [[mine], [theirs]] = await Promise.all([respondTo(once, store), respondTo(once, store, other)]);
  assert.notEqual(mine, theirs);
  assert.deepEqual(await respondTo(once, store), [mine, true]);
  assert.deepEqual(await respondTo(once, store, other), [theirs, true]);
});

test('a repeated request is reported as in progress during the first one, and another one with its key is rejected', async (t) => {
  const store = await temporaryStore(t);
  const once = service(store);
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const first = once.respond(
    keyed,
    async (kept: IdempotencyRecord<TrainingJob>) => {
      begun.resolve();
      await go.promise;
      return createIn(store)(kept);
    },
    renderResponse,
  );
  await begun.promise;
  await assert.rejects(respondTo(once, store), failure('request-in-flight', ' k '));
  const other = { ...keyed, fingerprint: 'g' };
  await assert.rejects(respondTo(once, store, other), failure('idempotency-key-reused', ' k '));
  go.resolve();
  const { response: answer } = await first;
  assert.deepEqual(await respondTo(once, store), [answer.body, true]);
  await assert.rejects(respondTo(once, store, other), failure('idempotency-key-reused'));
});

test('a failed request releases its key', async (t) => {
  const store = await temporaryStore(t);
  const once = service(store);
  const fail = async () => {
    throw new AtelierError('queue-full', 'the queue is full');
  };
  await assert.rejects(once.respond(keyed, fail, renderResponse), failure('queue-full'));
  const [, replayed] = await respondTo(once, store, { ...keyed, fingerprint: 'g' });
  assert.equal(replayed, false);
});

test('reports code that creates without storing its response', async (t) => {
  const store = await temporaryStore(t);
  const once = service(store);
  const forget = () => store.jobs.create(request(), untouched);
  await assert.rejects(once.respond(keyed, forget, renderResponse), /stored without its response/);
});

test('a key is known while its request is in flight, and as long as its response is stored', async (t) => {
  const store = await temporaryStore(t);
  const once = service(store);
  const other = { ...keyed, caller: 'other' };
  assert.equal(await once.isKnown(keyed), false);
  const go = Promise.withResolvers<void>();
  const first = once.respond(
    keyed,
    async (kept: IdempotencyRecord<TrainingJob>) => {
      await go.promise;
      return createIn(store)(kept);
    },
    renderResponse,
  );
  assert.deepEqual([await once.isKnown(keyed), await once.isKnown(other)], [true, false]);
  go.resolve();
  await first;
  assert.deepEqual([await once.isKnown(keyed), await once.isKnown(other)], [true, false]);
});

test('a request that another process answers first gets the response of that process', async (t) => {
  const store = await temporaryStore(t);
  const [once, elsewhere] = [service(store), service(store)];
  let first: StoredResponse['body'] | undefined;
  const createLate = async (kept: IdempotencyRecord<TrainingJob>) => {
    [first] = await respondTo(elsewhere, store);
    return createIn(store)(kept);
  };
  const { response, replayed } = await once.respond(keyed, createLate, renderResponse);
  assert.deepEqual([response.body, replayed], [first, true]);
  assert.equal(await store.jobs.count('queued'), 1);
});

test('a key that another process uses first for another request is rejected', async (t) => {
  const store = await temporaryStore(t);
  const [once, elsewhere] = [service(store), service(store)];
  const createLate = async (kept: IdempotencyRecord<TrainingJob>) => {
    await respondTo(elsewhere, store, { ...keyed, fingerprint: 'g' });
    return createIn(store)(kept);
  };
  await assert.rejects(
    once.respond(keyed, createLate, renderResponse),
    failure('idempotency-key-reused', ' k '),
  );
});

test('a response of another process that is gone again is in progress, and a retry is due in a second', async (t) => {
  const store = await temporaryStore(t);
  const fail = () => Promise.reject(new AlreadyAnswered('k'));
  await assert.rejects(service(store).respond(keyed, fail, renderResponse), (error: AtelierError) => {
    assert.deepEqual([error.code, error.retryAfterSeconds], ['request-in-flight', 1]);
    return true;
  });
});
