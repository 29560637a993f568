import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure, newJob, publish, temporaryStore, trained } from './fixtures.ts';

test('versions published at once are numbered without gaps or repeats', async (t) => {
  const store = await temporaryStore(t);
  const jobs = await Promise.all(Array.from({ length: 20 }, () => newJob(store, 'running', 'shoes')));
  const finished = await Promise.all(
    jobs.map((id) =>
      store.jobs.finish(id, { status: 'succeeded', step: 1, reason: 'completed', model: trained }),
    ),
  );
  const numbers = finished.map(({ model }) => model!.version).sort((a, b) => a - b);
  assert.deepEqual(
    numbers,
    Array.from({ length: 20 }, (_, n) => n + 1),
  );
  assert.equal((await store.models.get('shoes'))?.versions, 20);
});

test('a model shows its newest version and the time of its first', async (t) => {
  const store = await temporaryStore(t);
  await publish(store, 'shoes');
  await publish(store, 'shoes');
  await publish(store, 'shirts');
  const model = await store.models.get('shoes');
  const [first, second] = [await store.models.version('shoes', 1), await store.models.version('shoes', 2)];
  assert.deepEqual(model, { name: 'shoes', createdAt: first?.createdAt, versions: 2, latest: second });
});

test('a version is found by its number, the newest without one', async (t) => {
  const store = await temporaryStore(t);
  await publish(store, 'shoes');
  await publish(store, 'shoes');
  assert.equal((await store.models.version('shoes'))?.version, 2);
  assert.equal((await store.models.version('shoes', 1))?.version, 1);
  assert.equal(await store.models.version('shoes', 3), undefined);
  assert.equal(await store.models.version('boots'), undefined);
  assert.equal(await store.models.get('boots'), undefined);
});

test('pages of models neither skip nor repeat one while versions and models are published', async (t) => {
  const store = await temporaryStore(t);
  const names = ['m', 'c', 'x', 'a', 'k'];
  for (const name of names) await publish(store, name);
  const seen: string[] = [];
  let more = true;
  while (more) {
    const page = await store.models.list({ limit: 2, after: seen.at(-1) });
    seen.push(...page.data.map(({ name }) => name));
    more = page.hasMore;
    await publish(store, 'm');
    await publish(store, `new-${seen.length}`);
  }
  const original = seen.filter((name) => names.includes(name));
  assert.deepEqual(original.toSorted(), names.toSorted());
  assert.equal(new Set(seen).size, seen.length);
});

test('models are listed newest first', async (t) => {
  const store = await temporaryStore(t);
  for (const name of ['b', 'c', 'a']) {
    await publish(store, name);
    // Two in one millisecond are in the order of their names.
    const created = (await store.models.get(name))!.createdAt;
    while (new Date().toISOString() === created);
  }
  const names = async () => (await store.models.list({ limit: 10 })).data.map(({ name }) => name);
  assert.deepEqual(await names(), ['a', 'c', 'b']);
  await publish(store, 'b');
  assert.deepEqual(await names(), ['a', 'c', 'b']);
});

test('a list cannot go on after a model that does not exist', async (t) => {
  const store = await temporaryStore(t);
  await assert.rejects(
    store.models.list({ limit: 10, after: 'boots' }),
    (error) =>
      failure('invalid-request', 'boots')(error) &&
      JSON.stringify((error as { details?: unknown }).details).includes('"parameter":"after"'),
  );
});

test('versions are paged newest first', async (t) => {
  const store = await temporaryStore(t);
  for (let n = 0; n < 5; n++) await publish(store, 'shoes');
  await publish(store, 'shirts');
  const first = await store.models.versions('shoes', { limit: 3 });
  await publish(store, 'shoes');
  const rest = await store.models.versions('shoes', { limit: 3, after: 3 });
  assert.deepEqual(
    [...first.data, ...rest.data].map(({ version }) => version),
    [5, 4, 3, 2, 1],
  );
  assert.deepEqual([first.hasMore, rest.hasMore], [true, false]);
});
