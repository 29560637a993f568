import assert from 'node:assert/strict';
import { cp, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { copyVerified } from '../../../../src/store/sqlite/backup/copy.ts';
import { openStore } from '../../../../src/store/sqlite/open.ts';
import { addDataset, failure, newJob, runOf, temporaryDirectory } from '../../fixtures.ts';

/** A copy of a whole state directory, made while the service used it, with a data set and a checkpoint. */
async function copyInUse(t: TestContext) {
  const directory = await temporaryDirectory(t);
  const store = await openStore(join(directory, 'state'));
  t.after(() => store.close());
  await addDataset(store, 'dst_a');
  const id = await newJob(store, 'running');
  await runOf(id).saveCheckpoint({ step: 1, epoch: 1, loss: null }, Buffer.from('checkpoint'));
  const [backup, target] = [join(directory, 'backup'), join(directory, 'target')];
  await cp(join(directory, 'state'), backup, { recursive: true });
  const change = (statement: string) => {
    using raw = new DatabaseSync(join(backup, 'atelier.sqlite'), { enableForeignKeyConstraints: false });
    raw.exec(statement);
  };
  return { backup, target, change, copy: () => copyVerified(backup, target) };
}

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('a copy includes what only the write-ahead log has, and is one file with its folders', async (t) => {
  const { backup, target, copy } = await copyInUse(t);
  assert.ok((await stat(join(backup, 'atelier.sqlite-wal'))).size > 0);
  assert.equal(await copy(), 2);
  const names = (await readdir(target)).toSorted();
  assert.deepEqual(names, ['atelier.sqlite', 'blobs', 'checkpoints', 'datasets', 'predictions']);
  assert.deepEqual(await readdir(join(target, 'datasets')), ['dst_a']);
  for (const folder of ['.', 'blobs', 'datasets']) assert.equal(await modeOf(join(target, folder)), 0o700);
  using raw = new DatabaseSync(join(target, 'atelier.sqlite'), { readOnly: true });
  assert.equal(raw.prepare('select count(*) as n from checkpoints').get()!['n'], 1);
  assert.equal(raw.prepare('pragma journal_mode').get()!['journal_mode'], 'delete');
});

test('a database with a row that refers to a missing one is damaged', async (t) => {
  const { backup, change, copy } = await copyInUse(t);
  change('delete from jobs');
  const database = join(backup, 'atelier.sqlite');
  const words = [
    `The database ${database} is damaged`,
    'a row refers to a missing row',
    'Use another backup.',
  ];
  await assert.rejects(copy(), failure('state-unusable', ...words));
});

test('a database of a newer version is not called damaged', async (t) => {
  const { change, copy } = await copyInUse(t);
  change("insert into kysely_migration values ('9999-later', '')");
  await assert.rejects(
    copy(),
    (error) =>
      failure('state-unusable', 'Use the command of that version.')(error) && !/damaged/.test(String(error)),
  );
});

test('a file that a row names must be there, and be a file', async (t) => {
  const { backup, target, copy } = await copyInUse(t);
  const file = join(backup, 'datasets/dst_a');
  await rm(file);
  await assert.rejects(copy(), failure('state-unusable', `${file} is missing`, 'Use another backup.'));
  await rm(target, { recursive: true });
  await mkdir(file);
  await assert.rejects(copy(), failure('state-unusable', `${file} is not a file`));
  await rm(target, { recursive: true });
  await rm(file, { recursive: true });
  await writeFile(file, 'others');
  await assert.rejects(copy(), failure('state-unusable', `It is the file ${file}.`));
});
