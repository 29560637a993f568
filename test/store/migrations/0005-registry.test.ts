import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { modelVersionSchema } from '../../../src/domain/models/representation.ts';
import { migrations } from '../../../src/store/migrations/all.ts';
import { NodeSqliteDialect } from '../../../src/store/sqlite/dialect.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { publish, request, temporaryDirectory, trained, untouched } from '../fixtures.ts';
import { writeOldDatabase } from '../sqlite/old-database.ts';

const ID = 'job_01M880FEH52JANXJG42H3VZFKH';
const AT = '2026-11-25T00:07:51.589Z';
const asked = { ...request('old'), warmStart: { name: 'older', version: 4 } };

/** Writes a database before this migration, with two versions; the job of one of them exists. */
function writeOld(file: string): Promise<void> {
  return writeOldDatabase(file, '0004-idempotency', (insert) => {
    insert('jobs', {
      id: ID,
      status: 'succeeded',
      request: JSON.stringify(asked),
      created_at: AT,
      attempts: 1,
      progress: JSON.stringify(untouched),
      model_version: 1,
      event_count: 0,
    });
    insert('models', { name: 'old', created_at: AT, last_version: 7 });
    for (const [version, job_id] of [
      [1, ID],
      [3, null],
    ] as const) {
      insert('model_versions', {
        name: 'old',
        version,
        created_at: AT,
        job_id,
        dataset_id: trained.datasetId,
        dataset_digest: trained.datasetDigest,
        layer_sizes: JSON.stringify(trained.layerSizes),
        activation: 'relu',
        standardization: JSON.stringify(trained.standardization),
        fused: 1,
        class_names: JSON.stringify(trained.classNames),
        engine: trained.engine,
        test_accuracy: trained.testAccuracy,
        digest: trained.digest,
      });
    }
  });
}

test('existing versions are unchanged and have a lineage', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeOld(join(directory, 'atelier.sqlite'));
  const store = await openStore(directory);
  t.after(() => store.close());
  const first = await store.models.version('old', 1);
  assert.ok(first);
  assert.deepEqual(modelVersionSchema.strict().parse(first), first);
  const { datasetId: id, datasetDigest: digest, ...same } = trained;
  assert.deepEqual(first, {
    ...same,
    preprocessing: null,
    name: 'old',
    version: 1,
    createdAt: AT,
    aliases: [],
    description: null,
    metadata: asked.metadata,
    tags: [],
    lineage: {
      source: 'training',
      jobId: ID,
      dataset: { id, digest },
      seed: 7,
      request: asked,
      parent: { name: 'older', version: 4 },
      import: null,
      copiedFrom: null,
      teachers: [],
    },
  });
  assert.deepEqual((await store.models.version('old', 3))?.lineage.request, null);
});

test('existing models accept aliases and further versions, and can be deleted', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeOld(join(directory, 'atelier.sqlite'));
  const store = await openStore(directory);
  t.after(() => store.close());
  await store.aliases.move('old', 'champion', 1, 'ci');
  await publish(store, 'old');
  assert.deepEqual(
    (await store.models.versions('old', { limit: 9 })).data.map(({ version }) => version),
    [8, 3, 1],
  );
  assert.equal((await store.models.version('old'))?.version, 1);
  assert.deepEqual(await store.models.remove('old', 3), [3]);
});

test('runs one update for each version of a job, however many jobs exist', async (t) => {
  const file = join(await temporaryDirectory(t), 'atelier.sqlite');
  await writeOld(file);
  const raw = new DatabaseSync(file);
  const copy = raw.prepare(
    `insert into jobs (id, status, request, created_at, attempts, progress, event_count)
     select ?, status, request, created_at, attempts, progress, event_count from jobs where id = ?`,
  );
  for (let n = 0; n < 20; n++) copy.run(`job_${n}`, ID);
  const updates: string[] = [];
  const db = new Kysely<unknown>({
    dialect: new NodeSqliteDialect(raw),
    log: ({ query }) => void (/^update "model_versions"/.test(query.sql) && updates.push(query.sql)),
  });
  t.after(() => db.destroy());
  const provider = { getMigrations: async () => ({ ...migrations }) };
  const { error } = await new Migrator({ db, provider }).migrateTo('0005-registry');
  assert.equal(error, undefined);
  assert.equal(updates.length, 1);
});
