import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { Kysely } from 'kysely';
import { generateKey, sha256Bytes } from '../../../src/domain/api-key.ts';
import { sha256Hex } from '../../../src/store/blobs.ts';
import { readBootstrapKey, saveBootstrapKey } from '../../../src/store/bootstrap-key.ts';
import { createChunkedBlobs } from '../../../src/store/postgres/chunked-blobs.ts';
import { connectPostgres } from '../../../src/store/postgres/connect.ts';
import { migratePostgres } from '../../../src/store/postgres/migrate.ts';
import { openStore } from '../../../src/store/sqlite/open-store.ts';
import type { Database } from '../../../src/store/tables.ts';
import type { Endpoint } from '../../../src/store/transfer/endpoint.ts';
import { openSharedState } from '../../../src/store/transfer/shared-state.ts';
import { openStateDirectory } from '../../../src/store/transfer/state-directory.ts';
import { assertTransferred, transferState } from '../../../src/store/transfer/transfer-state.ts';
import { readPages, TABLES, transferredColumns } from '../../../src/store/transfer/transferred-tables.ts';
import { temporaryDatabase, withoutPostgres } from '../../postgres.ts';
import {
  epochRecord,
  failure,
  idempotencyRecord,
  newDataset,
  newJob,
  request,
  runOf,
  startRun,
  temporaryDirectory,
  trained,
  underway,
  untouched,
} from '../fixtures.ts';

const options = { skip: withoutPostgres };
const KEY = { name: 'first', scopes: ['admin'], digest: sha256Bytes(generateKey()) } as const;
const DATASET = 'dst_pets';

/** A state directory with rows in every table. One job was running when the process ended. */
async function fillDirectory(t: TestContext): Promise<string> {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  const file = store.datasets.newFile();
  const tensors = Buffer.alloc(3 * 2 ** 20, 'tensors');
  await writeFile(file, tensors);
  await store.datasets.add(file, { ...newDataset(DATASET, 'pets'), digest: await sha256Hex(tensors) });
  for (const text of ['parameters', 'more parameters']) {
    const id = await newJob(store, 'running', 'wide');
    await runOf(id).recordEpoch(epochRecord(1, 0.1 + 0.2), [], underway);
    await store.blobs.putReferenced(Buffer.from(text), (digest) =>
      runOf(id).finish({
        status: 'succeeded',
        step: 2 ** 31,
        reason: 'completed',
        model: { ...trained, digest },
      }),
    );
  }
  await store.aliases.move('wide', 'production', 1, 'anonymous');
  const idempotency = idempotencyRecord('key');
  const { id: paused } = await store.jobs.create(request('später'), untouched, { idempotency });
  await store.jobs.requestPause(paused);
  await newJob(store, 'queued');
  const running = await newJob(store, 'running');
  await runOf(running).saveCheckpoint({ step: 5_000_000_000, epoch: 1, loss: 0.5 }, new Uint8Array(64));
  await store.close();
  await saveBootstrapKey(directory, KEY);
  const raw = new DatabaseSync(join(directory, 'atelier.sqlite'));
  // More than two pages.
  raw.exec(`insert into events with recursive numbers(n) as (select 100 union all select n + 1 from numbers where n < 1300)
    select '${running}', n, 'progress', '2026-11-26T12:00:00.000Z', '{"fraction":' || (n / 7.0) || '}' from numbers`);
  raw.close();
  return directory;
}

async function openShared(t: TestContext) {
  const url = await temporaryDatabase(t, { collation: 'icu' });
  await migratePostgres(url);
  const db = await connectPostgres({ url });
  t.after(() => db.destroy());
  return { ...openSharedState('the database', db, createChunkedBlobs(db)), close: async () => {} };
}

/** All transferred rows by table, as JSON. */
async function rowsOf(
  db: Kysely<Database>,
  columns: Awaited<ReturnType<typeof transferredColumns>>,
): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  for (const table of TABLES) {
    const pages = await Array.fromAsync(readPages(db, table, columns.get(table)!));
    rows.set(table, JSON.stringify(pages.flat()));
  }
  return rows;
}

/** An endpoint where the transfer ends after half of the blobs, or in the rows of events. */
function failing(endpoint: Endpoint, part: 'blobs' | 'rows'): Endpoint {
  if (part === 'blobs') return { ...endpoint, checkpoints: { ...endpoint.checkpoints, write: fail } };
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
  assert.equal(await transferState({ ...up, target: shared }), true);
  assert.equal(await transferState({ ...up, target: shared }), false);
  await assertTransferred(shared.db);
  assert.deepEqual(await rowsOf(shared.db, columns), before);
  await source.close();

  const emptyPath = await temporaryDirectory(t);
  const target = await openStateDirectory(emptyPath, false);
  const down = { source: shared, target, columns, temporary: target.temporary, complete, report };
  assert.equal(await transferState(down), true);
  assert.deepEqual(await rowsOf(target.db, columns), before);
  await target.close();
  assert.deepEqual(await readBootstrapKey(emptyPath), await readBootstrapKey(path));
  const file = (directory: string) => readFile(join(directory, 'datasets', DATASET));
  assert.deepEqual(await file(emptyPath), await file(path));

  const store = await openStore(emptyPath);
  t.after(() => store.close());
  const next = await store.jobs.nextQueued();
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
