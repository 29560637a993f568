import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openStore } from '../../../src/store/sqlite/open.ts';
import {
  failure,
  newJob,
  publish,
  request,
  runOf,
  startRun,
  temporaryDirectory,
  temporaryStore,
  trained,
  untouched,
} from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

storeTest('concurrently published versions are numbered without gaps or repeats', async (t) => {
  const store = await temporaryStore(t);
  const jobs = await Promise.all(Array.from({ length: 20 }, () => newJob(store, 'running', 'shoes')));
  const finished = await Promise.all(
    jobs.map((id) => runOf(id).finish({ status: 'succeeded', step: 1, reason: 'completed', model: trained })),
  );
  const numbers = finished.map(({ model }) => model!.version).sort((a, b) => a - b);
  assert.deepEqual(
    numbers,
    Array.from({ length: 20 }, (_, n) => n + 1),
  );
  assert.equal((await store.models.get('shoes'))?.versions, 20);
});

storeTest('a model has its newest version and the time of its first', async (t) => {
  const store = await temporaryStore(t);
  await publish(store, 'shoes');
  await publish(store, 'shoes');
  await publish(store, 'shirts');
  const model = await store.models.get('shoes');
  const [first, second] = [await store.models.version('shoes', 1), await store.models.version('shoes', 2)];
  assert.deepEqual(model, {
    name: 'shoes',
    createdAt: first?.createdAt,
    versions: 2,
    aliases: { champion: 1 },
    latest: second,
  });
});

storeTest('a version is found by its number, the champion without one', async (t) => {
  const store = await temporaryStore(t);
  await publish(store, 'shoes');
  await publish(store, 'shoes');
  assert.equal((await store.models.version('shoes'))?.version, 1);
  assert.equal((await store.models.version('shoes', 2))?.version, 2);
  assert.equal(await store.models.version('shoes', 3), undefined);
  assert.equal(await store.models.version('boots'), undefined);
  assert.equal(await store.models.get('boots'), undefined);
});

storeTest(
  'pages of models neither skip nor repeat one while versions and models are published',
  async (t) => {
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
  },
);

storeTest('models are listed newest first', async (t) => {
  const store = await temporaryStore(t);
  for (const name of ['b', 'c', 'a']) {
    await publish(store, name);
    // Models created in the same millisecond are ordered by name, so this waits for the next one.
    const created = (await store.models.get(name))!.createdAt;
    while (new Date().toISOString() === created);
  }
  const names = async () => (await store.models.list({ limit: 10 })).data.map(({ name }) => name);
  assert.deepEqual(await names(), ['a', 'c', 'b']);
  await publish(store, 'b');
  assert.deepEqual(await names(), ['a', 'c', 'b']);
  assert.deepEqual(await store.models.names(2), ['a', 'c']);
});

storeTest('rejects a cursor of a missing model', async (t) => {
  const store = await temporaryStore(t);
  await assert.rejects(
    store.models.list({ limit: 10, after: 'boots' }),
    (error) =>
      failure('invalid-request', 'boots')(error) &&
      JSON.stringify((error as { details?: unknown }).details).includes('"parameter":"after"'),
  );
});

storeTest('versions are paged newest first', async (t) => {
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

test('a version keeps its lineage without its job', async (t) => {
  const directory = await temporaryDirectory(t);
  const before = await openStore(directory);
  const asked = { ...request('shoes'), warmStart: { name: 'shoes', version: 1 } };
  await publish(before, 'shoes');
  const { id } = await before.jobs.create(asked, untouched);
  await startRun(before, id);
  await runOf(id).finish({ status: 'succeeded', step: 1, reason: 'completed', model: trained });
  const version = await before.models.version('shoes', 2);
  assert.deepEqual(version?.lineage, {
    source: 'training',
    jobId: id,
    dataset: { id: 'fashion-mnist', digest: trained.datasetDigest },
    seed: 7,
    request: asked,
    parent: { name: 'shoes', version: 1 },
    copiedFrom: null,
    teachers: [],
    import: null,
  });
  assert.deepEqual(version.metadata, { who: 'a test' }, "at first it is the request's");
  assert.equal((await before.models.version('shoes', 1))?.lineage.parent, null);
  await before.close();

  const raw = new DatabaseSync(join(directory, 'atelier.sqlite'));
  raw.exec('pragma foreign_keys = on; delete from events; delete from jobs');
  raw.close();
  const after = await openStore(directory);
  t.after(() => after.close());
  assert.equal(await after.jobs.get(id), undefined);
  assert.deepEqual(await after.models.version('shoes', 2), version);
});

storeTest('annotations of a version are changed field by field', async (t) => {
  const store = await temporaryStore(t);
  await publish(store, 'shoes');
  const say = async (changes: Parameters<typeof store.models.annotate>[2]) => {
    const version = await store.models.annotate('shoes', 1, changes);
    assert.deepEqual(await store.models.version('shoes', 1), version);
    return [version?.description, version?.metadata, version?.tags];
  };
  const who = { who: 'a test' };
  assert.deepEqual(await say({}), [null, who, []]);
  assert.deepEqual(await say({ tags: ['good', 'old', 'good'] }), [null, who, ['good', 'old']]);
  assert.deepEqual(await say({ description: 'Of boots' }), ['Of boots', who, ['good', 'old']]);
  assert.deepEqual(await say({ metadata: {} }), ['Of boots', {}, ['good', 'old']]);
  assert.deepEqual(await say({ description: null, tags: [] }), [null, {}, []]);
  assert.equal(await store.models.annotate('shoes', 2, {}), undefined);
});

storeTest('finds models and versions by an exact tag', async (t) => {
  const store = await temporaryStore(t);
  for (const name of ['a', 'b', 'c', 'b']) await publish(store, name);
  await store.models.annotate('a', 1, { tags: ['v1_x', 'new'] });
  await store.models.annotate('b', 1, { tags: ['v1-x', 'newer', 'old'] });
  await store.models.annotate('b', 2, { tags: ['new'] });
  const models = async (tag: string, limit = 10) =>
    (await store.models.list({ limit, tag })).data.map(({ name }) => name).toSorted();
  assert.deepEqual(await models('new'), ['a', 'b']);
  assert.deepEqual(await models('old'), ['b'], 'not the newest version alone');
  assert.deepEqual(await models('v1_x'), ['a']);
  assert.deepEqual(await models('ne'), []);
  assert.equal((await models('new', 1)).length, 1);
  const versions = async (tag: string) =>
    (await store.models.versions('b', { limit: 10, tag })).data.map(({ version }) => version);
  assert.deepEqual([await versions('new'), await versions('old'), await versions('v1_x')], [[2], [1], []]);
});

storeTest('the references of one model, or of all, ascend by name and number', async (t) => {
  const store = await temporaryStore(t);
  for (const name of ['shoes', 'shirts', 'shoes']) await publish(store, name);
  const shoes = [1, 2].map((version) => ({ name: 'shoes', version }));
  const references = async (name?: string) =>
    (await store.models.references(name)).map((reference) => ({ ...reference }));
  assert.deepEqual(await references(), [{ name: 'shirts', version: 1 }, ...shoes]);
  assert.deepEqual(await references('shoes'), shoes);
  assert.deepEqual(await references('hats'), []);
});

storeTest('a version keeps what its training has measured, or that there is none', async (t) => {
  const store = await temporaryStore(t);
  const without = { standardization: null, preprocessing: null, testAccuracy: null, fused: false } as const;
  await publish(store, 'shoes');
  await publish(store, 'shoes', {}, without);
  const [first, second] = [await store.models.version('shoes', 1), await store.models.version('shoes', 2)];
  const { datasetId: _, datasetDigest: __, ...expected } = trained;
  for (const [field, value] of Object.entries(expected)) {
    assert.deepEqual(first![field as keyof typeof expected], value, field);
    const changed = field in without ? without[field as keyof typeof without] : value;
    assert.deepEqual(second![field as keyof typeof expected], changed, field);
  }
});

storeTest('a model without an alias is listed with none', async (t) => {
  const store = await temporaryStore(t);
  for (const name of ['shoes', 'shirts']) await publish(store, name);
  await store.aliases.remove('shirts', 'champion', 'ci');
  const { data } = await store.models.list({ limit: 10 });
  assert.deepEqual(
    data.map(({ name, aliases }) => [name, aliases]),
    [
      ['shirts', {}],
      ['shoes', { champion: 1 }],
    ],
  );
});
