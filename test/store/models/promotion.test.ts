import assert from 'node:assert/strict';
import type { ChampionComparison } from '../../../src/domain/training/publication.ts';
import type { Publishing } from '../../../src/store/jobs/finish.ts';
import { ChampionMoved } from '../../../src/store/models/promotion.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { calibrate, newJob, publish, runOf, temporaryStore, trained } from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

const comparison = (champion: number, verdict: ChampionComparison['verdict']): ChampionComparison => ({
  champion,
  examples: 1000,
  verdict,
  accuracy: { version: 0.9, champion: 0.8 },
  counts: { n00: 50, n01: 50, n10: 150, n11: 750 },
  mcnemar: { method: 'chi-square-with-continuity-correction', statistic: 49, pValue: 2.5e-12 },
});

async function finish(store: Store, publish: Partial<Publishing>) {
  const id = await newJob(store, 'running', 'shoes');
  const publishing: Publishing = { promote: 'never', notLearned: null, judgement: null, ...publish };
  const success = { status: 'succeeded', step: 1, reason: 'completed', model: trained } as const;
  const run = runOf(id);
  return { id, end: () => run.finish({ ...success, publish: publishing }) };
}

storeTest('a later version replaces the champion only if its job requests it', async (t) => {
  const store = await temporaryStore(t);
  await publish(store, 'shoes');
  const champion = async () => (await store.models.version('shoes'))?.version;
  const never = await (await finish(store, {})).end();
  assert.deepEqual(
    [never.publication?.version, never.publication?.promoted, await champion()],
    [2, false, 1],
  );
  assert.match(never.publication!.reason, /publish\.promote is never: version 1 stays the champion/);
  const always = await (await finish(store, { promote: 'always' })).end();
  assert.deepEqual([always.publication?.promoted, await champion()], [true, 3]);
  const { data } = await store.aliases.history('shoes', { limit: 1 });
  assert.deepEqual(
    [data[0]?.version, data[0]?.previousVersion, data[0]?.promotion?.jobId],
    [3, 1, always.id],
  );
  await store.aliases.remove('shoes', 'champion', 'ci');
  await (await finish(store, {})).end();
  assert.equal(await champion(), 4, 'without a champion, the name means the newest version');
  const first = await (await finish(store, { promote: 'if-better' })).end();
  assert.deepEqual(
    [first.publication?.promoted, first.publication?.reason],
    [true, 'Model shoes had no champion.'],
  );
});

storeTest(
  'a promotion warns if the calibrated champion is replaced by a version without a calibration',
  async (t) => {
    const store = await temporaryStore(t);
    await publish(store, 'shoes');
    const move = (version: number) => store.aliases.move('shoes', 'champion', version, 'ci');
    const first = await (await finish(store, { promote: 'always' })).end();
    assert.equal(first.publication?.warning, undefined, 'neither is calibrated');
    await calibrate(store, 'shoes', 2, 'arrays');
    const never = await (await finish(store, {})).end();
    assert.equal(never.publication?.warning, undefined, 'it is not promoted');
    const always = await (await finish(store, { promote: 'always' })).end();
    assert.match(always.publication!.warning!, /^Version 4 has no calibration, unlike version 2\./);
    assert.equal((await move(2)).alias.warning, undefined);
    assert.match((await move(1)).alias.warning!, /POST \/v1\/models\/shoes\/versions\/1\/calibration/);
    assert.equal((await store.aliases.get('shoes', 'champion'))?.alias.warning, undefined);
    await move(2);
    await calibrate(store, 'shoes', 1, 'arrays');
    assert.equal((await move(1)).alias.warning, undefined, 'both are calibrated');
  },
);

storeTest('a judgement is stored with the job, its last event and the history, once', async (t) => {
  const store = await temporaryStore(t);
  await publish(store, 'shoes');
  const judgement = (champion: number, verdict: ChampionComparison['verdict']) => ({
    champion,
    comparison: comparison(champion, verdict),
    reason: `The new version is ${verdict}.`,
  });
  const worse = await (
    await finish(store, { promote: 'if-better', judgement: judgement(1, 'no-difference') })
  ).end();
  assert.deepEqual(worse.publication, {
    version: 2,
    promoted: false,
    testAccuracy: trained.testAccuracy,
    ...without(judgement(1, 'no-difference')),
  });
  const { id, end } = await finish(store, { promote: 'if-better', judgement: judgement(1, 'better') });
  await store.aliases.move('shoes', 'champion', 2, 'ci');
  await assert.rejects(end(), ChampionMoved);
  assert.equal(
    (await store.models.get('shoes'))?.latest.version,
    2,
    'nothing is published without a decision',
  );
  await store.aliases.move('shoes', 'champion', 1, 'ci');
  const { publication } = await end();
  assert.deepEqual(publication, {
    version: 3,
    promoted: true,
    testAccuracy: trained.testAccuracy,
    ...without(judgement(1, 'better')),
  });
  const { data: events } = await store.events.list(id, { limit: 100 });
  assert.deepEqual(events.at(-1)?.data['publication'], publication);
  assert.deepEqual(
    events.map((event) => event.id),
    events.map((_, n) => n + 1),
  );
  const { data: moves } = await store.aliases.history('shoes', { limit: 1 });
  assert.deepEqual(moves[0]?.promotion, { jobId: id, ...without(judgement(1, 'better')) });
  await assert.rejects(end(), { code: 'illegal-transition' });
  assert.equal((await store.models.get('shoes'))?.versions, 3);
});

storeTest('a training that did not learn succeeds with a warning, and publishes nothing', async (t) => {
  const store = await temporaryStore(t);
  const { id, end } = await finish(store, { notLearned: 'It did not learn.' });
  const job = await end();
  assert.deepEqual([job.status, job.model, job.digest], ['succeeded', null, trained.digest]);
  assert.deepEqual(job.publication, {
    version: null,
    promoted: false,
    testAccuracy: null,
    reason: 'It did not learn.',
    comparison: null,
  });
  const { data } = await store.events.list(id, { limit: 100 });
  assert.deepEqual(
    data.slice(-2).map(({ type }) => type),
    ['warning', 'status'],
  );
  assert.equal(await store.models.get('shoes'), undefined);
});

storeTest('a copy equals the original except for its name and number, and outlives it', async (t) => {
  const store = await temporaryStore(t);
  const bytes = new Uint8Array([1, 2, 3, 4]);
  const id = await newJob(store, 'running', 'experiment');
  const digest = await store.blobs.putReferenced(bytes, async (stored) => {
    const model = { ...trained, digest: stored };
    await runOf(id).finish({ status: 'succeeded', step: 1, reason: 'completed', model });
    return stored;
  });
  await store.models.annotate('experiment', 1, { description: 'tried', tags: ['good'] });
  const original = (await store.models.version('experiment', 1))!;
  const from = { name: 'experiment', version: 1 };
  const copy = (await store.models.copy(from, 'served'))!;
  assert.deepEqual(copy, {
    ...original,
    name: 'served',
    createdAt: copy.createdAt,
    aliases: ['champion'],
    lineage: { ...original.lineage, copiedFrom: from },
  });
  assert.deepEqual(copy.lineage.jobId, id);
  assert.equal(await store.models.copy({ ...from, version: 2 }, 'nothing'), undefined);
  assert.equal(await store.models.get('nothing'), undefined);
  const back = await Promise.all([
    store.models.copy({ name: 'served', version: 1 }, 'experiment'),
    store.models.copy(from, 'served'),
  ]);
  assert.deepEqual(
    back.map((version) => [version?.version, version?.aliases]),
    [
      [2, []],
      [2, []],
    ],
  );
  await store.models.remove('experiment');
  assert.deepEqual(await store.blobs.get(digest), bytes);
});

function without<T extends { champion: number }>({ champion, ...rest }: T) {
  return rest;
}
