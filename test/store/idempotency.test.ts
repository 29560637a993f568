import assert from 'node:assert/strict';
import { failure, idempotencyRecord, request, temporaryStore, untouched } from './fixtures.ts';
import { storeTest } from './store-test.ts';

const HOUR_MS = 3_600_000;
const at = new Date('2027-01-31T12:00:00.000Z');
const later = (hours: number, ms = 0) => new Date(at.getTime() + hours * HOUR_MS + ms);
const asked = { caller: 'anonymous', key: 'k' };

storeTest('a response is stored with its job, byte for byte', async (t) => {
  const store = await temporaryStore(t);
  const body = '{"größer":"é\\u0000","n":1e-7}\n';
  const answer = { status: 202, location: '/jobs/1', contentType: 'application/json; charset=utf-8', body };
  await store.jobs.create(request(), untouched, {
    idempotency: idempotencyRecord('k', { at, render: () => answer }),
  });
  assert.deepEqual(
    { ...(await store.storedResponses.find(asked, at)) },
    { fingerprint: 'f'.repeat(64), ...answer },
  );
  assert.equal(await store.storedResponses.find({ ...asked, key: 'K' }, at), undefined);
  assert.equal(await store.storedResponses.find({ ...asked, caller: 'other' }, at), undefined);
});

storeTest('job and response are stored together or not at all', async (t) => {
  const store = await temporaryStore(t);
  const full = store.jobs.create(request(), untouched, {
    queueLimit: 0,
    idempotency: idempotencyRecord('k', { at }),
  });
  await assert.rejects(full, failure('queue-full'));
  assert.equal(await store.storedResponses.find(asked, at), undefined);

  const answer = () => {
    throw new RangeError('no words for it');
  };
  await assert.rejects(
    store.jobs.create(request(), untouched, { idempotency: idempotencyRecord('k', { at, render: answer }) }),
    /no words/,
  );
  assert.equal(await store.jobs.isEmpty(), true);

  await store.jobs.create(request(), untouched, { idempotency: idempotencyRecord('k', { at }) });
  await assert.rejects(
    store.jobs.create(request(), untouched, { idempotency: idempotencyRecord('k', { at: later(1) }) }),
  );
  assert.equal(await store.jobs.count('queued'), 1);
});

storeTest('a response is stored for 24 hours, then its key can be reused', async (t) => {
  const store = await temporaryStore(t);
  const first = await store.jobs.create(request(), untouched, {
    idempotency: idempotencyRecord('k', { at }),
  });
  assert.equal((await store.storedResponses.find(asked, later(24, -1)))?.body, first.id);
  assert.equal(await store.storedResponses.find(asked, later(24)), undefined);

  const second = await store.jobs.create(request(), untouched, {
    idempotency: idempotencyRecord('k', { at: later(24) }),
  });
  assert.equal((await store.storedResponses.find(asked, later(24)))?.body, second.id);
});

storeTest('deletes expired responses only', async (t) => {
  const store = await temporaryStore(t);
  await store.jobs.create(request(), untouched, { idempotency: idempotencyRecord('old', { at }) });
  await store.jobs.create(request(), untouched, {
    idempotency: idempotencyRecord('new', { at: later(0, 1) }),
  });
  await store.storedResponses.deleteExpired(later(24));
  assert.equal(await store.storedResponses.find({ ...asked, key: 'old' }, at), undefined);
  assert.ok(await store.storedResponses.find({ ...asked, key: 'new' }, at));
});
