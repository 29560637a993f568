import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AliasState } from '../../../src/store/models/aliases.ts';
import {
  failure,
  newJob,
  openWithConnection,
  publish,
  request,
  temporaryStore,
  untouched,
} from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

storeTest('an alias points at a version, and moves', async (t) => {
  const store = await temporaryStore(t);
  for (let n = 0; n < 3; n++) await publish(store, 'shoes');
  const made = await store.aliases.move('shoes', 'stable', 3, 'ci');
  assert.deepEqual([made.created, made.alias.version, made.alias.movedBy], [true, 3, 'ci']);
  assert.equal((await store.models.version('shoes', 'stable'))?.version, 3);
  const moved = await store.aliases.move('shoes', 'stable', 1, 'anonymous');
  assert.equal(moved.created, false);
  assert.deepEqual((await store.aliases.list('shoes'))[1], moved.alias);
  assert.equal((await store.models.version('shoes', 'stable'))?.version, 1);
  assert.deepEqual((await store.models.version('shoes', 1))?.aliases, ['champion', 'stable']);
  assert.deepEqual((await store.models.version('shoes', 3))?.aliases, []);
  assert.deepEqual((await store.models.get('shoes'))?.aliases, { champion: 1, stable: 1 });
});

storeTest('a name alone means the champion, or else the newest version', async (t) => {
  const store = await temporaryStore(t);
  for (let n = 0; n < 3; n++) await publish(store, 'shoes');
  const meant = async () => (await store.models.version('shoes'))?.version;
  await store.aliases.move('shoes', 'stable', 3, 'ci');
  assert.equal(await meant(), 1, 'the first version is the champion');
  await store.aliases.move('shoes', 'champion', 2, 'ci');
  await publish(store, 'shoes');
  assert.equal(await meant(), 2);
  await store.aliases.remove('shoes', 'champion', 'ci');
  assert.equal(await meant(), 4);
  assert.equal(
    await store.models.version('shoes', 'champion'),
    undefined,
    'asked for by name it is not there',
  );
});

storeTest('the history lists every move, newest first, including rollbacks and deletions', async (t) => {
  const store = await temporaryStore(t);
  for (let n = 0; n < 3; n++) await publish(store, 'shoes');
  await publish(store, 'shirts');
  const moves = [2, 2, 3, 2, 1];
  for (const version of moves) await store.aliases.move('shoes', 'champion', version, 'ci');
  await store.aliases.move('shirts', 'champion', 1, 'other');
  await store.aliases.remove('shoes', 'champion', 'admin');
  const { data, hasMore } = await store.aliases.history('shoes', { limit: 10 });
  assert.deepEqual(
    data.map(({ at, alias, promotion, ...move }) => move),
    [
      { id: 6, version: null, previousVersion: 1, caller: 'admin' },
      { id: 5, version: 1, previousVersion: 2, caller: 'ci' },
      { id: 4, version: 2, previousVersion: 3, caller: 'ci' },
      { id: 3, version: 3, previousVersion: 2, caller: 'ci' },
      { id: 2, version: 2, previousVersion: 1, caller: 'ci' },
      { id: 1, version: 1, previousVersion: null, caller: 'service' },
    ],
    'a move to the current target changes nothing',
  );
  assert.equal(hasMore, false);
  const { promotion } = data.at(-1)!;
  assert.deepEqual(
    [promotion?.reason, promotion?.comparison],
    ['It is the first version of model shoes.', null],
  );
  const times = data.map(({ at }) => at);
  assert.deepEqual(times, times.toSorted().reverse());
  const page = await store.aliases.history('shoes', { limit: 2, after: 5 });
  assert.deepEqual([page.data.map(({ id }) => id), page.hasMore], [[4, 3], true]);
});

storeTest('an alias cannot point at a missing version', async (t) => {
  const store = await temporaryStore(t);
  await publish(store, 'shoes');
  await assert.rejects(store.aliases.move('boots', 'champion', 1, 'ci'), failure('model-not-found', 'boots'));
  await assert.rejects(
    store.aliases.move('shoes', 'champion', 2, 'ci'),
    failure('unknown-model', 'no version 2', 'its newest is 1'),
  );
  await assert.rejects(
    store.aliases.remove('shoes', 'stable', 'ci'),
    failure('alias-not-found', 'shoes', 'stable'),
  );
  assert.equal((await store.aliases.history('shoes', { limit: 10 })).data.length, 1);
});

storeTest('concurrent moves are recorded in sequence, each from the version of the one before', async (t) => {
  const store = await temporaryStore(t);
  for (let n = 0; n < 4; n++) await publish(store, 'shoes');
  const versions = Array.from({ length: 40 }, (_, n) => 1 + ((n * 7) % 4));
  await Promise.all(versions.map((version) => store.aliases.move('shoes', 'champion', version, 'ci')));
  const { data } = await store.aliases.history('shoes', { limit: 100 });
  const moves = data.toReversed();
  assert.deepEqual(
    moves.map(({ id }) => id),
    moves.map((_, n) => n + 1),
  );
  moves.reduce<number | null>((before, move) => {
    assert.equal(move.previousVersion, before);
    return move.version;
  }, null);
  assert.equal((await store.models.version('shoes'))?.version, data[0]?.version);
});

storeTest('an alias that moves away and back has another state', async (t) => {
  const store = await temporaryStore(t);
  for (let n = 0; n < 2; n++) await publish(store, 'shoes');
  await store.aliases.remove('shoes', 'champion', 'ci');
  const moved = async (version: number) => {
    const { alias, move } = await store.aliases.move('shoes', 'champion', version, 'ci');
    assert.deepEqual(await store.aliases.get('shoes', 'champion'), { alias, move });
    await store.aliases.move('shoes', 'other', version, 'ci');
    return move;
  };
  const first = await moved(1);
  assert.equal(await moved(1), first, 'a move to the current target changes nothing');
  const moves = [first, await moved(2), await moved(1)];
  await store.aliases.remove('shoes', 'champion', 'ci');
  assert.equal(await store.aliases.get('shoes', 'champion'), undefined);
  moves.push(await moved(1));
  assert.equal(new Set(moves).size, 4);
});

storeTest('of concurrent moves and deletions that have read the same state, one succeeds', async (t) => {
  const store = await temporaryStore(t);
  for (let n = 0; n < 3; n++) await publish(store, 'shoes');
  let read = await store.aliases.move('shoes', 'champion', 1, 'ci');
  for (let round = 0; round < 10; round++) {
    const unchanged = (stored: AliasState | undefined) => {
      if (stored?.move !== read.move) throw new Error('changed');
    };
    const changes = Array.from({ length: 8 }, (_, n) =>
      n === 3
        ? store.aliases.remove('shoes', 'champion', 'ci', unchanged)
        : store.aliases.move('shoes', 'champion', 2 + (n % 2), 'ci', unchanged),
    );
    const ended = await Promise.allSettled(changes);
    const rejected = ended.filter((result) => result.status === 'rejected');
    assert.equal(rejected.length, 7);
    for (const { reason } of rejected) assert.match(reason.message, /^changed$|has no alias champion/);
    read = await store.aliases.move('shoes', 'champion', 1, 'ci');
  }
});

storeTest('a version that has been annotated since it was read is not deleted', async (t) => {
  const store = await temporaryStore(t);
  for (let n = 0; n < 2; n++) await publish(store, 'shoes');
  const read = JSON.stringify(await store.models.version('shoes', 1));
  const unchanged = (stored: unknown) => {
    if (JSON.stringify(stored) !== read) throw new Error('changed');
  };
  const ended = await Promise.allSettled([
    store.models.annotate('shoes', 1, { tags: ['kept'] }, unchanged),
    store.models.remove('shoes', 1, unchanged),
    store.models.annotate('shoes', 1, { tags: ['other'] }, unchanged),
  ]);
  assert.equal(ended.filter(({ status }) => status === 'fulfilled').length, 1);
  await store.aliases.move('shoes', 'champion', 2, 'ci');
  const model = JSON.stringify(await store.models.get('shoes'));
  await store.aliases.remove('shoes', 'champion', 'ci');
  const modelUnchanged = (stored: unknown) => {
    if (JSON.stringify(stored) !== model) throw new Error('changed');
  };
  await assert.rejects(store.models.remove('shoes', undefined, modelUnchanged), /changed/);
});

storeTest('numbers of requests may be any up to 2^53', async (t) => {
  const store = await temporaryStore(t);
  await publish(store, 'shoes');
  const id = await newJob(store, 'queued');
  const number = Number.MAX_SAFE_INTEGER;
  assert.equal(await store.models.version('shoes', number), undefined);
  await assert.rejects(store.aliases.move('shoes', 'stable', number, 'ci'), failure('unknown-model'));
  await assert.rejects(store.models.remove('shoes', number), failure('model-not-found'));
  const warmStart = { name: 'shoes', version: number };
  await assert.rejects(store.jobs.create({ ...request(), warmStart }, untouched), failure('unknown-model'));
  const query = { after: number, limit: 1 };
  assert.equal((await store.models.versions('shoes', query)).data.length, 1);
  assert.equal((await store.aliases.history('shoes', query)).data.length, 1);
  assert.deepEqual((await store.events.list(id, query)).data, []);
  assert.deepEqual(await store.epochRecords.list(id, number), []);
});

test('an alias whose moves are missing is as good as never moved', async (t) => {
  const { store, raw } = await openWithConnection(t);
  await publish(store, 'shoes');
  assert.equal((await store.aliases.get('shoes', 'champion'))?.move, 1);
  raw.exec('delete from alias_moves');
  const state = await store.aliases.get('shoes', 'champion');
  assert.deepEqual([state?.alias.version, state?.move], [1, 0]);
  assert.equal(await store.aliases.get('shoes', 'stable'), undefined);
});

test('a move is not earlier than the move before, which another process has recorded', async (t) => {
  const { store, raw } = await openWithConnection(t);
  for (let n = 0; n < 2; n++) await publish(store, 'shoes');
  const at = new Date(Date.now() + 200).toISOString();
  raw.prepare('update alias_moves set at = ?').run(at);
  const { alias } = await store.aliases.move('shoes', 'champion', 2, 'ci');
  assert.ok(alias.movedAt >= at);
});
