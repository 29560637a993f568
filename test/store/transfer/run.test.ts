import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import { readBootstrapKey } from '../../../src/store/bootstrap-key.ts';
import { createChunkedBlobs } from '../../../src/store/postgres/blobs/chunked.ts';
import { connectPostgres } from '../../../src/store/postgres/connect.ts';
import { migratePostgres } from '../../../src/store/postgres/migrate.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { assertTransferred, transferState } from '../../../src/store/transfer/run.ts';
import { openSharedState } from '../../../src/store/transfer/shared-state.ts';
import type { TransferSide } from '../../../src/store/transfer/side.ts';
import { openStateDirectory, type StateDirectory } from '../../../src/store/transfer/state-directory.ts';
import { TABLES, transferredColumns } from '../../../src/store/transfer/tables.ts';
import { temporaryDatabase, withoutPostgres } from '../../support/servers/postgres.ts';
import { failure, startRun, temporaryDirectory } from '../fixtures.ts';
import { blobDatabase } from '../postgres/blob-database.ts';
import { CALIBRATION, DATASETS, fillDirectory, rowsOf } from './filled-directory.ts';

const options = { skip: withoutPostgres };

async function openShared(t: TestContext) {
  const url = await temporaryDatabase(t, { collation: 'icu' });
  await migratePostgres(url);
  const db = await connectPostgres({ url });
  t.after(() => db.destroy());
  return openSharedState(db, { blobs: createChunkedBlobs(db), isBucket: false });
}

/** An endpoint where the transfer ends after half of the blobs, or in the rows of events. */
function failing(endpoint: TransferSide, part: 'blobs' | 'rows'): TransferSide {
  const { blobs } = endpoint;
  if (part === 'blobs') {
    return { ...endpoint, blobs: { ...blobs, checkpoints: { ...blobs.checkpoints, write: fail } } };
  }
  let pages = 0;
  const db = endpoint.db.withPlugin({
    transformQuery({ node }) {
      if (node.kind === 'InsertQueryNode' && JSON.stringify(node.into).includes('"events"') && ++pages > 1) {
        throw new Error('killed');
      }
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  return { ...endpoint, db };
}

async function fail(): Promise<never> {
  throw new Error('killed');
}

test('a state moves to PostgreSQL and back, with interruptions, and is equal', options, async (t) => {
  const path = await fillDirectory(t);
  const shared = await openShared(t);
  const reports: string[] = [];
  const report = (message: string) => void reports.push(message);

  const source = await openStateDirectory(path, true);
  await source.recoverJobs();
  const columns = await transferredColumns(source.db);
  const { temporary } = source;
  const before = await rowsOf(source.db, columns);
  for (const table of TABLES) assert.notEqual(before.get(table), '[]', `${table} has no row`);
  const complete = async () => {};
  const up = { source, columns, temporary, complete, report };
  for (const part of ['blobs', 'rows'] as const) {
    await assert.rejects(transferState({ ...up, target: failing(shared, part) }), /killed/);
    await assert.rejects(assertTransferred(shared.db), failure('state-unusable', 'has not finished'));
  }
  reports.length = 0;
  assert.equal(await transferState({ ...up, target: shared }), true);
  assert.equal(reports[0], 'Copied 0 files.', 'the interrupted transfers have copied all of them');
  assert.ok(reports.includes('Copied 2 rows of datasets.'), reports.join('\n'));
  assert.equal(await transferState({ ...up, target: shared }), false);
  await assertTransferred(shared.db);
  assert.deepEqual(await rowsOf(shared.db, columns), before);
  await source.close();

  const emptyPath = await temporaryDirectory(t);
  const openTarget = () => openStateDirectory(emptyPath, false);
  const downTo = (target: StateDirectory, to: TransferSide = target) =>
    transferState({ source: shared, target: to, columns, temporary: target.temporary, complete, report });
  const incomplete = await openTarget();
  reports.length = 0;
  await assert.rejects(downTo(incomplete, failing(incomplete, 'rows')), /killed/);
  const files = ['blobs', 'checkpoints', 'datasets', 'predictions'].map((kind) =>
    readdir(join(emptyPath, kind)),
  );
  assert.equal(reports[0], `Copied ${(await Promise.all(files)).flat().length} files.`);
  await incomplete.close();
  await assert.rejects(openStore(emptyPath), failure('state-unusable', 'has not finished'));
  const target = await openTarget();
  assert.equal(await downTo(target), true);
  assert.deepEqual(await rowsOf(target.db, columns), before);
  await target.close();
  assert.deepEqual(await readBootstrapKey(emptyPath), await readBootstrapKey(path));
  for (const dataset of DATASETS) {
    const file = (directory: string) => readFile(join(directory, 'datasets', dataset));
    assert.deepEqual(await file(emptyPath), await file(path));
  }

  const store = await openStore(emptyPath);
  t.after(() => store.close());
  const { calibration } = (await store.models.version('wide', 1))!;
  assert.equal(Buffer.from(await store.blobs.get(calibration!.digest)).toString(), CALIBRATION);
  const next = (await store.jobs.nextQueued())?.id;
  assert.ok(next);
  await startRun(store, next);
});

test('a target that holds anything else, and a source that has changed, are rejected', options, async (t) => {
  const shared = await openShared(t);
  const source = await openStateDirectory(await fillDirectory(t), true);
  t.after(source.close);
  const columns = await transferredColumns(source.db);
  const common = { source, columns, temporary: source.temporary, complete: async () => {}, report: () => {} };
  await assert.rejects(transferState({ ...common, target: failing(shared, 'blobs') }), /killed/);
  await source.db.updateTable('models').set({ alias_moves: 7 }).execute();
  await assert.rejects(
    transferState({ ...common, target: shared }),
    failure('state-unusable', 'unfinished transfer'),
  );
  const used = await openShared(t);
  const model = { name: 'other', created_at: '', last_version: 1, alias_moves: 0 };
  await used.db.insertInto('models').values(model).execute();
  await assert.rejects(transferState({ ...common, target: used }), failure('state-unusable', 'not empty'));
});

test(
  'in a bucket every blob is stored again, because a row may exist before its object',
  options,
  async (t) => {
    const { db } = await blobDatabase(t);
    await sql`insert into atelier.blobs (digest, bytes, whole) values ('sha256:stored', 1, true)`.execute(db);
    const names = ['stored', 'missing'].map((id) => ({ id, digest: `sha256:${id}` }));
    for (const [isBucket, missing] of [
      [true, names],
      [false, names.slice(1)],
    ] as const) {
      const { blobs } = await openSharedState(db, { blobs: createChunkedBlobs(db), isBucket });
      assert.deepEqual(await blobs.blobs.missing(names), missing);
    }
  },
);
