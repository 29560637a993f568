import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIdempotencyService } from '../../../src/services/operations/idempotency.ts';
import type { AliasState } from '../../../src/store/models/aliases.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { withoutPostgres } from '../../support/servers/postgres.ts';
import {
  addDataset,
  epochRecord,
  idempotencyRecord,
  newJob,
  publish,
  request,
  runOf,
  startRun,
  underway,
  untouched,
} from '../fixtures.ts';
import { behindLock, openTwoStores } from './two-stores.ts';

const options = { skip: withoutPostgres };
/** Jobs can be counted, but none can be inserted or updated. */
const NO_CHANGES = 'lock table atelier.jobs in share mode';

test('two replicas queue no more jobs than the limit, with ascending ids', options, async (t) => {
  const { stores, url } = await openTwoStores(t);
  const create = (store: Store) => store.jobs.create(request(), untouched, { queueLimit: 3 });
  const works = [0, 1, 0, 1, 0, 1].map((n) => () => create(stores[n]!));
  const ended = await behindLock(url, NO_CHANGES, works);
  assert.equal(ended.filter((status) => status === 'fulfilled').length, 3);
  assert.equal(await stores[0].jobs.count('queued'), 3);
  // The clock of one replica may be late.
  t.mock.timers.enable({ apis: ['Date'], now: 0 });
  const late = await stores[0].jobs.create(request(), untouched);
  assert.equal((await stores[1].jobs.list({ limit: 1 })).data[0]!.id, late.id);
});

test('of a resumed job and a new one, the limit admits one', options, async (t) => {
  const { stores, url } = await openTwoStores(t);
  const [first, second] = stores;
  const paused = await newJob(first);
  await first.jobs.requestPause(paused);
  const ended = await behindLock(url, NO_CHANGES, [
    () => first.jobs.resume(paused, undefined, 1),
    () => second.jobs.create(request(), untouched, { queueLimit: 1 }),
  ]);
  assert.deepEqual(ended.toSorted(), ['fulfilled', 'rejected']);
});

test('of two replicas that have read the same alias, one moves it', options, async (t) => {
  const { stores, url } = await openTwoStores(t);
  const [first, second] = stores;
  for (let n = 0; n < 2; n++) await publish(first, 'shoes');
  const { move } = await first.aliases.move('shoes', 'champion', 1, 'ci');
  const unchanged = (stored: AliasState | undefined) => {
    if (stored?.move !== move) throw new Error('changed');
  };
  const ended = await behindLock(url, 'select 1 from atelier.models for update', [
    () => first.aliases.move('shoes', 'champion', 2, 'ci', unchanged),
    () => second.aliases.move('shoes', 'champion', 2, 'ci', unchanged),
    () => second.aliases.remove('shoes', 'champion', 'ci', unchanged),
  ]);
  assert.deepEqual(ended.toSorted(), ['fulfilled', 'rejected', 'rejected']);
});

test('a version is not deleted under a job that has just been created from it', options, async (t) => {
  const { stores, url } = await openTwoStores(t);
  const [first, second] = stores;
  await publish(first, 'shoes');
  // The deletion has found no job, and is waiting to delete the row.
  const ended = await behindLock(url, 'select 1 from atelier.model_versions for update', [
    () => first.models.remove('shoes'),
    () => second.jobs.create({ ...request(), warmStart: 'shoes@1' }, untouched),
  ]);
  assert.deepEqual(ended, ['fulfilled', 'rejected']);
});

test('a checkpoint is not removed under a job that has just been created from it', options, async (t) => {
  const { stores, url } = await openTwoStores(t);
  const [first, second] = stores;
  const id = await newJob(first, 'running');
  const save = (step: number) =>
    runOf(id).saveCheckpoint({ step, epoch: 1, loss: null }, new Uint8Array([step]));
  for (const step of [1, 2, 3]) await save(step);
  // The fourth checkpoint replaces the first, finds no job that starts from it, and is waiting to delete the row.
  const ended = await behindLock(url, 'select 1 from atelier.checkpoints where step = 1 for update', [
    () => save(4),
    () => second.jobs.create({ ...request(), warmStart: `${id}@1` }, untouched),
  ]);
  assert.deepEqual(ended, ['fulfilled', 'rejected']);
});

test('a data set is not deleted under a job that has just been created on it', options, async (t) => {
  const { stores, url } = await openTwoStores(t);
  const [first, second] = stores;
  await addDataset(first, 'dst_1');
  const create = () => second.jobs.create({ ...request(), dataset: 'dst_1' }, untouched);
  const ended = await behindLock(url, 'select 1 from atelier.datasets for update', [
    () => first.datasets.remove('dst_1'),
    create,
  ]);
  assert.deepEqual(ended, ['fulfilled', 'rejected']);
});

test('an epoch that two reports store at once is stored once', options, async (t) => {
  const { stores, url } = await openTwoStores(t);
  const [first] = stores;
  const id = await newJob(first, 'running');
  const report = () => runOf(id).recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], underway);
  assert.deepEqual(await behindLock(url, 'select 1 from atelier.jobs for update', [report, report]), [
    'fulfilled',
    'fulfilled',
  ]);
  const { data } = await first.events.list(id, { limit: 10, after: 2 });
  assert.deepEqual(
    data.map(({ id, type }) => [id, type]),
    [
      [3, 'epoch'],
      [4, 'progress'],
    ],
  );
});

test('of two requests with one key, one creates, and both get its response', options, async (t) => {
  const { stores, url } = await openTwoStores(t);
  const services = stores.map((store) => {
    const service = createIdempotencyService(store);
    return {
      respond: (key: string) =>
        service.respond(
          { caller: 'anonymous', key, fingerprint: 'f' },
          (record) => store.jobs.create(request(), untouched, { idempotency: record }),
          idempotencyRecord(key).render,
        ),
    };
  });
  const keys = Array.from({ length: 20 }, (_, n) => `key-${n}`);
  const responses: Promise<{ response: { body: string }; replayed: boolean }>[] = [];
  const begin = (key: string) =>
    services.map(({ respond }) => () => {
      const responding = respond(key);
      responses.push(responding);
      return responding;
    });
  await behindLock(url, NO_CHANGES, begin('first'));
  await Promise.all(keys.flatMap(begin).map((respond) => respond()));
  const answered = await Promise.all(responses);
  for (let n = 0; n < answered.length; n += 2) {
    const pair = answered.slice(n, n + 2);
    assert.equal(pair[0]!.response.body, pair[1]!.response.body);
    assert.deepEqual(pair.map(({ replayed }) => replayed).toSorted(), [false, true]);
  }
  assert.equal(await stores[0].jobs.count('queued'), keys.length + 1);
});

test('two replicas that start at once print one bootstrap key', options, async (t) => {
  const { stores, url } = await openTwoStores(t);
  const shown: string[] = [];
  const key = (name: string) => ({ name, scopes: ['admin'] as const, digest: Buffer.alloc(32, name) });
  const works = stores.map(({ bootstrapKeys }, n) => async () => {
    const name = `replica-${n}`;
    assert.equal(await bootstrapKeys.read(), undefined);
    return bootstrapKeys.create(key(name), () => shown.push(name));
  });
  await behindLock(url, 'lock table atelier.keys in share mode', works);
  assert.equal(shown.length, 1);
  for (const { bootstrapKeys } of stores) assert.deepEqual(await bootstrapKeys.read(), key(shown[0]!));
});

test('of two replicas that start a job, one does', options, async (t) => {
  const { stores, url } = await openTwoStores(t);
  const id = await newJob(stores[0]);
  const ended = await behindLock(
    url,
    'select 1 from atelier.jobs for update',
    stores.map((store) => () => startRun(store, id)),
  );
  assert.deepEqual(ended.toSorted(), ['fulfilled', 'rejected']);
});
