import assert from 'node:assert/strict';
import { decodeTime } from 'ulid';
import type { Page, Store } from '../../../src/store/persistent-state.ts';
import { newJob, request, temporaryStore, untouched } from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

type Query = Omit<Parameters<Store['jobs']['list']>[0], 'limit'>;

async function create(store: Store, modelName: string, metadata: Record<string, string> = {}) {
  return (await store.jobs.create({ ...request(modelName), metadata }, untouched)).id;
}

/** All ids, read in pages of two, with `between` called after each page. */
async function readAll({ jobs }: Store, query: Query, between = async () => {}): Promise<string[]> {
  const ids: string[] = [];
  for (let page: Page<{ id: string }> | undefined; page?.hasMore !== false; ) {
    page = await jobs.list({ ...query, limit: 2, after: ids.at(-1) });
    assert.deepEqual(
      (await jobs.revisions({ ...query, limit: 2, after: ids.at(-1) })).data.map(({ id }) => id),
      page.data.map(({ id }) => id),
    );
    ids.push(...page.data.map(({ id }) => id));
    await between();
  }
  return ids;
}

storeTest('jobs are filtered by model, data set and metadata, all together, in either order', async (t) => {
  const store = await temporaryStore(t);
  const vision = { team: 'vision', 'a"b.c': 'x=y' };
  const all: string[] = [];
  for (let n = 0; n < 3; n++) {
    all.push(await create(store, 'shoes', vision));
    all.push(await create(store, 'bags', { team: 'Vision' }));
    all.push(await create(store, 'bags', { team: 'vision' }));
  }
  const pick = (...remainders: number[]) => all.filter((_, n) => remainders.includes(n % 3));
  const cases: [Query, string[]][] = [
    [{ modelName: 'bags' }, pick(1, 2)],
    [{ metadata: { team: 'vision' } }, pick(0, 2)],
    [{ metadata: vision }, pick(0)],
    [{ modelName: 'bags', metadata: { team: 'vision' }, status: 'queued' }, pick(2)],
    [{ dataset: 'fashion-mnist' }, all],
    [{ dataset: 'none' }, []],
    [{ modelName: 'shoes', metadata: { team: 'Vision' } }, []],
    [{ metadata: { 'a"b.c': 'x' } }, []],
    [{ modelName: 'bags', search: null }, pick(1, 2)],
    [{ modelName: 'bags', metadata: { team: 'vision' }, search: null, status: 'queued' }, pick(2)],
    [{ status: 'queued', search: null }, all],
    [{ modelName: 'bags', search: 'sea_none' }, []],
    [{ modelName: 'bags', status: 'running' }, []],
    [{ modelName: 'bags', metadata: { team: 'vision' }, status: 'cancelled' }, []],
  ];
  for (const [query, expected] of cases) {
    assert.deepEqual(await readAll(store, query), expected.toReversed(), JSON.stringify(query));
    assert.deepEqual(await readAll(store, { ...query, sort: 'createdAt' }), expected);
  }
  assert.deepEqual(await readAll(store, { sort: 'createdAt' }), all);
});

storeTest('filtered pages neither skip nor repeat a job while jobs are created', async (t) => {
  const store = await temporaryStore(t);
  const before = [];
  for (let n = 0; n < 6; n++) before.push(await create(store, n % 2 ? 'bags' : 'shoes'));
  const shoes = before.filter((_, n) => n % 2 === 0);
  const createTwo = async () => {
    for (const name of ['shoes', 'bags']) await create(store, name);
  };
  assert.deepEqual(await readAll(store, { modelName: 'shoes' }, createTwo), shoes.toReversed());
});

storeTest('createdAfter and createdBefore exclude their own millisecond', async (t) => {
  const store = await temporaryStore(t);
  const ids: string[] = [];
  // Three jobs of different milliseconds.
  while (new Set(ids.map((id) => decodeTime(id.slice(4)))).size < 3) ids.push(await newJob(store));
  const times = ids.map((id) => decodeTime(id.slice(4)));
  const middle = times.find((time) => time > times[0]!)!;
  const at = new Date(middle).toISOString();
  const where = (holds: (time: number) => boolean) => ids.filter((_, n) => holds(times[n]!)).toReversed();
  assert.deepEqual(
    await readAll(store, { createdAfter: at }),
    where((time) => time > middle),
  );
  assert.deepEqual(
    await readAll(store, { createdBefore: at }),
    where((time) => time < middle),
  );
  const range = {
    createdAfter: new Date(middle - 1).toISOString(),
    createdBefore: new Date(middle + 1).toISOString(),
  };
  assert.deepEqual(
    await readAll(store, range),
    where((time) => time === middle),
  );
  assert.deepEqual(await readAll(store, { ...range, modelName: 'none' }), []);
  // The last one is after all times that an id can have.
  for (const createdAfter of ['9999-12-31T23:59:59Z', '+020000-01-01T00:00:00Z'])
    assert.deepEqual(await readAll(store, { createdAfter }), []);
  assert.deepEqual(await readAll(store, { createdAfter: '0001-01-01T00:00:00Z' }), ids.toReversed());
});
