/** Looks that two processes count, and those of a database of an earlier release. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { createLooks, type Look } from '../../../src/store/models/looks.ts';
import { connectPostgres } from '../../../src/store/postgres/connect.ts';
import { migratePostgres } from '../../../src/store/postgres/migrate.ts';
import { createPartitions } from '../../../src/store/postgres/partitions.ts';
import { createPostgresRows } from '../../../src/store/postgres/rows.ts';
import { temporaryDatabase, withoutPostgres } from '../../support/servers/postgres.ts';
import { epochRecord, request, trained, untouched } from '../fixtures.ts';
import { behindLock, openTwoStores } from './two-stores.ts';

const options = { skip: withoutPostgres };
const DIGEST = trained.datasetDigest!;
const look = (n: string): Look => ({
  datasetDigest: DIGEST,
  kind: 'comparison',
  network: { ...trained, digest: `sha256:${n.repeat(64)}` },
  caller: 'ci',
});

test('two processes that evaluate the same versions at once count each of them once', options, async (t) => {
  const { stores, url } = await openTwoStores(t);
  const [a, b] = stores;
  const settled = await behindLock(url, 'lock table atelier.looks in share row exclusive mode', [
    () => a.looks.record([look('a'), look('b')]),
    () => b.looks.record([look('a'), look('b')]),
    () => b.looks.record([look('c')]),
    () => a.looks.record([look('c')]),
  ]);
  assert.deepEqual(settled, ['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled']);
  assert.deepEqual([await a.looks.total(DIGEST), await b.looks.total(DIGEST)], [3, 3]);
});

test('looks of stored jobs and versions are counted by the migration', options, async (t) => {
  const url = await temporaryDatabase(t, { collation: 'icu' });
  await migratePostgres(url);
  const rows = createPostgresRows(await connectPostgres({ url }));
  t.after(() => rows.close());
  const { db } = rows;
  await createPartitions(db);
  await sql`drop table atelier.looks`.execute(db);
  await sql`delete from atelier.migrations where name = '0025-looks'`.execute(db);
  await sql`insert into atelier.blobs values (${trained.digest}, 0, true)`.execute(db);
  const id = 'job_01M880FEH52JANXJG42H3VZFKH';
  const at = '2026-11-25T00:07:51.589Z';
  await db
    .insertInto('jobs')
    .values({
      id,
      status: 'succeeded',
      created_at: at,
      attempts: 1,
      progress: JSON.stringify(untouched),
      event_count: 0,
      unclean_ends: 0,
      request: JSON.stringify(request('shoes')),
      circumstances: JSON.stringify({ dataset: { id: 'fashion-mnist', digest: DIGEST } }),
    } as never)
    .execute();
  for (const epoch of [1, 2, 3]) {
    const record = JSON.stringify(epochRecord(epoch, 0.5));
    await db.insertInto('metrics').values({ job_id: id, epoch, record }).execute();
  }
  await db
    .insertInto('models')
    .values({ name: 'shoes', created_at: at, last_version: 2, alias_moves: 0 })
    .execute();
  for (const [version, jobId] of [id, null].entries()) {
    await db
      .insertInto('model_versions')
      .values({
        name: 'shoes',
        version: version + 1,
        created_at: at,
        job_id: jobId,
        dataset_digest: DIGEST,
        layer_sizes: JSON.stringify([784, 40 + version, 10]),
        activation: 'relu',
        fused: 0,
        class_names: '[]',
        test_accuracy: 0.5,
        digest: trained.digest,
        metadata: '{}',
        tags: '[]',
      } as never)
      .execute();
  }
  await migratePostgres(url);
  const looks = createLooks(rows);
  const network = { ...trained, standardization: null };
  assert.ok(await looks.has(DIGEST, network));
  // Three epochs and an import.
  assert.deepEqual([await looks.total(DIGEST), await looks.ofJob(id)], [4, 3]);
});
