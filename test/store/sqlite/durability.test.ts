import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { Store } from '../../../src/store/persistent-state.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { MAX_LOG_BYTES } from '../../../src/store/sqlite/write-ahead-log.ts';
import { failure, newJob, runOf, startRun, temporaryDirectory, trained } from '../fixtures.ts';
import { replaceSync, simulatePowerLoss } from './power-loss.ts';

const FILE = 'atelier.sqlite';

async function open(t: TestContext, directory: string): Promise<Store> {
  const store = await openStore(directory, { info() {}, warn: assert.fail });
  t.after(() => store.close());
  return store;
}

test('acknowledged writes survive a power failure', async (t) => {
  const directory = await temporaryDirectory(t);
  const power = await simulatePowerLoss(t, join(directory, FILE));
  const store = await open(t, directory);
  const id = await newJob(store);
  assert.equal((await power.rows(`select id from jobs where status = 'queued'`)).length, 1);
  await startRun(store, id);
  assert.equal((await power.rows(`select id from jobs where status = 'running'`)).length, 1);
  for (let n = 1; n <= 5; n++) {
    const event = await store.events.append(id, 'warning', { n });
    assert.equal((await power.rows(`select id from events where id = ${event.id}`)).length, 1);
  }
  await runOf(id).finish({ status: 'succeeded', step: 1, reason: 'completed', model: trained });
  assert.equal((await power.rows('select * from model_versions')).length, 1);
  await store.models.remove('fashion-mnist', 1);
  assert.deepEqual(await power.rows('select * from model_versions'), []);
});

test('concurrent commits share a sync, and each is durable when it is acknowledged', async (t) => {
  const directory = await temporaryDirectory(t);
  const power = await simulatePowerLoss(t, join(directory, FILE));
  const store = await open(t, directory);
  const id = await newJob(store);
  const before = power.syncs();
  const writers = Array.from({ length: 20 }, async (_, n) => {
    const event = await store.events.append(id, 'warning', { n });
    const rows = await power.rows(`select id from events where id = ${event.id}`);
    assert.equal(rows.length, 1, `event ${event.id}`);
  });
  for (const writer of writers) await writer;
  assert.ok(power.syncs() - before < 10, `${power.syncs() - before} syncs`);
});

test('a log above its limit is copied into the database and restarted, and loses nothing', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, FILE);
  const power = await simulatePowerLoss(t, file);
  const store = await open(t, directory);
  const id = await newJob(store);
  const append = async (text: string) => {
    const event = await store.events.append(id, 'warning', { text });
    assert.equal((await power.rows('select id from events')).length, event.id);
    return event;
  };
  for (let n = 0; n < 4; n++) await append('x'.repeat(MAX_LOG_BYTES / 4));
  while ((await stat(file)).size < MAX_LOG_BYTES) {
    await append('while a thread copies');
    await wait(20);
  }
  // The file has its size before the copy ends, and the first event after the end restarts the log.
  let event = await append('after the copy');
  for (let tries = 0; tries < 500 && (await stat(`${file}-wal`)).size !== MAX_LOG_BYTES; tries++) {
    await wait(20);
    event = await append('after the copy');
  }
  assert.equal((await stat(`${file}-wal`)).size, MAX_LOG_BYTES);
  assert.equal((await power.rows('select id from events')).length, event.id);
});

test('listeners and readers wait for the sync of what they would see', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await open(t, directory);
  const id = await newJob(store);
  const { promise: synced, resolve: endSync } = Promise.withResolvers<void>();
  await replaceSync(t, 'datasync', () => synced);
  const order: string[] = [];
  store.events.onCommitted((_, events) => order.push(...events.map((event) => `event ${event.id}`)));
  const write = store.events.append(id, 'warning', {}).then(() => order.push('write'));
  const read = store.events.list(id, { limit: 10 }).then(({ data }) => order.push(`read ${data.length}`));
  for (let n = 0; n < 10; n++) await turn();
  assert.equal(order.length, 0);
  endSync();
  await Promise.all([write, read]);
  assert.ok(order.includes('read 2'), String(order));
  assert.deepEqual(
    order.filter((each) => each !== 'read 2'),
    ['event 2', 'write'],
  );
});

test('after a failed sync the store rejects every use and acknowledges nothing', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await open(t, directory);
  const id = await newJob(store);
  let failures = 0;
  store.events.onCommitted(() => assert.fail('no event is durable'));
  await replaceSync(t, 'datasync', async () => {
    if (failures++ === 0) throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
  });
  const refused = failure('state-unusable', 'EIO', 'restart the service');
  const results = await Promise.allSettled([1, 2, 3].map((n) => store.events.append(id, 'warning', { n })));
  for (const result of results) {
    assert.ok(result.status === 'rejected' && refused(result.reason), JSON.stringify(result));
  }
  await assert.rejects(store.jobs.isEmpty(), refused);
  await assert.rejects(store.events.append(id, 'warning', {}), refused);
  assert.equal(failures, 1);
});
