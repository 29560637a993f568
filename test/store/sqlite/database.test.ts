import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { copyFile, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import threads from 'node:worker_threads';
import { CompiledQuery, type Kysely } from 'kysely';
import { migrations } from '../../../src/store/migrations/all.ts';
import { copyBeforeMigration } from '../../../src/store/sqlite/backup/before-migration.ts';
import { openDatabase } from '../../../src/store/sqlite/database.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { prepareDatabase } from '../../../src/store/sqlite/prepare/database.ts';
import { applyMocks } from '../../support/mocked-builtins.ts';
import { failure, newJob, openFiles, temporaryDirectory } from '../fixtures.ts';
import { replaceSync } from './power-loss.ts';

/** A closed database with a few pages of rows. */
async function written(directory: string): Promise<string> {
  const store = await openStore(directory);
  const id = await newJob(store);
  for (let n = 0; n < 100; n++) await store.events.append(id, 'warning', { text: 'x'.repeat(500) });
  await store.close();
  return join(directory, 'atelier.sqlite');
}

test('leaves syncs of the write-ahead log to the store, and enforces foreign keys', async (t) => {
  const directory = await temporaryDirectory(t);
  const db = await openDatabase(join(directory, 'atelier.sqlite'));
  t.after(() => db.destroy());
  const pragma = async (name: string) => {
    const { rows } = await db.executeQuery<object>(CompiledQuery.raw(`pragma ${name}`));
    return Object.values(rows[0]!)[0];
  };
  assert.equal(await pragma('journal_mode'), 'wal');
  assert.equal(await pragma('synchronous'), 1);
  assert.equal(await pragma('wal_autocheckpoint'), 0);
  assert.equal(await pragma('foreign_keys'), 1);
  await assert.rejects(
    db.insertInto('metrics').values({ job_id: 'nobody', epoch: 1, record: '{}' }).execute(),
    /FOREIGN KEY/,
  );
});

test('all columns are text, integer, bigint or double', async (t) => {
  const directory = await temporaryDirectory(t);
  const db = await openDatabase(join(directory, 'atelier.sqlite'));
  t.after(() => db.destroy());
  const tables = await db.introspection.getTables();
  assert.deepEqual(tables.map(({ name }) => name).sort(), [
    'alias_moves',
    'aliases',
    'answers',
    'checkpoints',
    'datasets',
    'events',
    'job_labels',
    'jobs',
    'looks',
    'metrics',
    'model_versions',
    'models',
    'prediction_files',
    'prediction_jobs',
    'search_events',
    'searches',
    'test_splits',
    'transfers',
    'trials',
    'webhooks',
  ]);
  const types = new Set(
    tables.flatMap(({ columns }) => columns.map(({ dataType }) => dataType.toLowerCase())),
  );
  assert.deepEqual([...types].sort(), ['bigint', 'double precision', 'integer', 'text']);
});

test('rejects a truncated database with advice', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = await written(directory);
  const whole = join(directory, 'whole');
  await copyFile(file, whole);
  const { size } = await stat(whole);
  for (const rest of [0, 50, 1000, 4096, 5000, size - 4096, size - 1]) {
    await copyFile(whole, file);
    await truncate(file, rest);
    await assert.rejects(openStore(directory), failure('state-unusable', file, 'backup'), `${rest} bytes`);
  }
  await copyFile(whole, file);
  await (await openStore(directory)).close();
});

test('rejects a database with an overwritten page', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = await written(directory);
  const bytes = await readFile(file);
  bytes.fill(0x5a, bytes.length - 8192, bytes.length - 4096);
  await writeFile(file, bytes);
  await assert.rejects(openStore(directory), failure('state-unusable', file, 'damaged', 'backup'));
});

test('rejects a file that is not a database, without changing it', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'atelier.sqlite');
  for (const bytes of [100, 4096, 40_960]) {
    const text = 'notes, no database'.padEnd(bytes, '.');
    await writeFile(file, text);
    await assert.rejects(openStore(directory), failure('state-unusable', file, 'not a database', 'backup'));
    assert.equal(await readFile(file, 'utf8'), text);
  }
});

test('rejects a database of a newer version, without changing it', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = await written(directory);
  const raw = new DatabaseSync(file);
  raw.exec(
    `insert into kysely_migration (name, timestamp) values ('0099-sweeps', '2030-01-01T00:00:00.000Z')`,
  );
  raw.close();
  const before = await readFile(file);
  await assert.rejects(openStore(directory), failure('state-unusable', file, 'newer version', '0099-sweeps'));
  assert.deepEqual(await readFile(file), before);
});

test('rejects a -wal file without its database, since it would be applied to the wrong one', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = await written(directory);
  await writeFile(`${file}-wal`, 'frames');
  await rm(file);
  await assert.rejects(openStore(directory), failure('state-unusable', file, 'missing', 'backup'));
});

test('replaces remains of a process killed while it created the database', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'atelier.sqlite.new'), 'half');
  await writeFile(join(directory, 'atelier.sqlite.new-wal'), 'half');
  await (await openStore(directory)).close();
  const remains = (await readdir(directory)).filter((name) => name.startsWith('atelier.sqlite.new'));
  assert.deepEqual(remains, []);
});

test('copies a database before its migration, keeps two copies, and copies nothing else', async (t) => {
  const directory = await temporaryDirectory(t);
  const copies = async () =>
    (await readdir(directory)).filter((name) => name.startsWith('before')).toSorted();
  const file = await written(directory);
  assert.deepEqual(await copies(), []);
  for (const old of ['before-0002.sqlite', 'before-0004.sqlite', 'before-0006.sqlite.tmp']) {
    await writeFile(join(directory, old), 'an earlier copy');
  }
  const up = (db: Kysely<unknown>) => db.schema.createTable('sweeps').addColumn('id', 'text').execute();
  const next = { ...migrations, '0006-sweeps': { up }, '0007-none': { up: async () => {} } };
  const messages: string[] = [];
  for (let start = 0; start < 2; start++) await prepareDatabase(file, (text) => messages.push(text), next);
  assert.deepEqual(await copies(), ['before-0004.sqlite', 'before-0006.sqlite']);
  const copy = new DatabaseSync(join(directory, 'before-0006.sqlite'), { readOnly: true });
  t.after(() => copy.close());
  assert.equal(copy.prepare('select id from jobs').all().length, 1);
  assert.deepEqual(
    copy
      .prepare('select name from kysely_migration')
      .all()
      .map(({ name }) => name),
    Object.keys(migrations),
  );
  assert.deepEqual(messages, [
    'copied the database before its migration',
    'migrating the database',
    'migrated the database',
    'migrated the database',
  ]);

  const raw = new DatabaseSync(file);
  t.after(() => raw.close());
  const rejected = copyBeforeMigration(raw, file, '9999-later', 4096);
  await assert.rejects(rejected, failure('storage-full', file, 'before-9999.sqlite', '4096 bytes free'));
  assert.equal((await copies()).length, 2);
  const { size } = await stat(file);
  await assert.rejects(copyBeforeMigration(raw, file, '9999-later', size - 1), failure('storage-full'));
  assert.equal(
    await copyBeforeMigration(raw, file, '9999-later', size),
    join(directory, 'before-9999.sqlite'),
  );
});

test('a database whose log cannot be synced is closed again', async (t) => {
  const directory = await temporaryDirectory(t);
  await replaceSync(t, 'datasync', async () => {
    throw new Error('as the disk says');
  });
  await assert.rejects(
    openDatabase(join(directory, 'atelier.sqlite')),
    failure('state-unusable', 'as the disk says'),
  );
  assert.deepEqual(openFiles(directory), []);
});

test('a database is prepared in a thread if it is larger than 8 MiB', async (t) => {
  const file = join(await temporaryDirectory(t), 'atelier.sqlite');
  const use = async () => {
    await using db = await openDatabase(file);
    await db.selectFrom('jobs').select('id').execute();
  };
  await use();
  const started: string[] = [];
  /** Ends at once. */
  class Thread extends EventEmitter {
    constructor(entry: URL) {
      super();
      started.push(basename(entry.pathname));
      setImmediate(() => this.emit('exit', 0));
    }
    postMessage() {}
  }
  const { Worker } = threads;
  threads.Worker = Thread as unknown as typeof Worker;
  t.after(() => {
    threads.Worker = Worker;
  });
  applyMocks(t);
  const answer = "insert into answers values ('', ?, '', '', 200, null, '', zeroblob(?))";
  for (const [mebibytes, expected] of [
    [7, []],
    [2, ['database.worker.ts']],
  ] as const) {
    const raw = new DatabaseSync(file);
    raw.exec('pragma synchronous = off');
    raw.prepare(answer).run(`${mebibytes}`, mebibytes * 2 ** 20);
    raw.close();
    await use();
    assert.deepEqual(
      started.filter((name) => name.startsWith('database')),
      expected,
    );
  }
});
