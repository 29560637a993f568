import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { failure, temporaryDirectory } from '../fixtures.ts';

test('a state whose transfer has not finished is not opened, and nothing keeps it open', async (t) => {
  const directory = await temporaryDirectory(t);
  await (await openStore(directory)).close();
  const change = (statement: string) => {
    using raw = new DatabaseSync(join(directory, 'atelier.sqlite'));
    raw.exec(statement);
  };
  change(`insert into transfers values ('a database', '2026-11-26T00:00:00.000Z', null)`);
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(openStore(directory), failure('state-unusable', '2026-11-26', 'has not finished'));
  }
  change('delete from transfers');
  const store = await openStore(directory);
  t.after(() => store.close());
  assert.equal(await store.jobs.isEmpty(), true);
});

test('everything of a store is in its directory', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  t.after(() => store.close());
  assert.equal(dirname(store.temporaryFiles.newFile()), join(directory, 'temporary'));
  assert.equal(dirname(store.datasets.newFile()), join(directory, 'datasets'));
  // SQLite has further files beside each database.
  const names = (await readdir(directory)).map((name) => name.replace(/-(wal|shm|journal)$/, ''));
  assert.deepEqual([...new Set(names)].toSorted(), [
    'atelier.sqlite',
    'blobs',
    'checkpoints',
    'datasets',
    'lock.sqlite',
    'predictions',
    'reserve',
    'temporary',
  ]);
});
