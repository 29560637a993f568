import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { appendFile, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { migrations } from '../../../../src/store/migrations/all.ts';
import type { Store } from '../../../../src/store/persistent-state.ts';
import { restore } from '../../../../src/store/sqlite/backup/restore.ts';
import { backUp } from '../../../../src/store/sqlite/backup/take.ts';
import { openStore } from '../../../../src/store/sqlite/open.ts';
import { prepareDatabase } from '../../../../src/store/sqlite/prepare/database.ts';
import {
  addDataset,
  calibrate,
  failure,
  newJob,
  runOf,
  temporaryDirectory,
  trained,
} from '../../fixtures.ts';
import { replaceSync } from '../power-loss.ts';

async function openIn(t: TestContext) {
  const directory = await temporaryDirectory(t);
  const state = join(directory, 'state');
  const store = await openStore(state);
  t.after(() => store.close());
  return { directory, state, store };
}

/** Publishes a version with parameters of its own. */
function publishNew(store: Store, name: string, content: string): Promise<unknown> {
  return store.blobs.putReferenced(Buffer.from(content), (digest) =>
    store.models.publish({ ...trained, name, digest, imported: {} as never, metadata: {} }),
  );
}

/** Opens a backup, and reads each file that its rows name. */
async function readBackup(t: TestContext, backup: string) {
  const warnings: string[] = [];
  const store = await openStore(backup, { info() {}, warn: (message) => warnings.push(message) });
  t.after(() => store.close());
  const { data: models } = await store.models.list({ limit: 100 });
  for (const { name } of models) {
    const { data: versions } = await store.models.versions(name, { limit: 1000 });
    for (const { digest, calibration } of versions) {
      for (const named of [digest, calibration?.digest ?? digest]) await store.blobs.get(named);
    }
  }
  const { data: jobs } = await store.jobs.list({ limit: 100 });
  const checkpoints = await Promise.all(jobs.map(({ id }) => store.checkpoints.list(id)));
  for (const checkpoint of checkpoints.flat()) await store.checkpoints.read(checkpoint);
  for (const { id } of (await store.predictionJobs.list({ limit: 100 })).data) {
    const digest = await store.predictionJobs.digest(id, 'input');
    await store.predictionJobs.copyFile(digest!, store.temporaryFiles.newFile());
  }
  for (const dataset of await store.datasets.list())
    await store.datasets.withFile(dataset, (path) => readFile(path));
  return { models: models.map(({ name }) => name), checkpoints: checkpoints.flat().length, warnings };
}

test('copies exactly the files that the rows of the database name', async (t) => {
  const { directory, state, store } = await openIn(t);
  await publishNew(store, 'shoes', 'parameters');
  await calibrate(store, 'shoes', 1, 'calibration');
  await addDataset(store, 'dst_a');
  const job = await newJob(store, 'running');
  await runOf(job).saveCheckpoint({ step: 1, epoch: 0, loss: null }, Buffer.from('checkpoint'));
  const input = join(directory, 'images.npy');
  await writeFile(input, 'pixels');
  const source = { pixels: '0-1' } as const;
  const predicted = {
    model: { name: 'shoes', version: 1 },
    classNames: [],
    source,
    images: 1,
    coverage: null,
  };
  await store.predictionJobs.create(predicted, { input, queueLimit: 1 });
  await writeFile(join(state, 'api-key'), 'hash');
  await writeFile(join(state, 'blobs/unfinished.tmp'), 'left over');
  const backup = join(directory, 'backup');
  assert.deepEqual(await backUp(state, backup), { files: 5, missing: [] });
  assert.deepEqual((await readdir(backup)).toSorted(), [
    'api-key',
    'atelier.sqlite',
    'blobs',
    'checkpoints',
    'datasets',
    'predictions',
  ]);
  assert.equal((await readdir(join(backup, 'blobs'))).length, 2);
  assert.deepEqual(await readBackup(t, backup), { models: ['shoes'], checkpoints: 1, warnings: [] });
});

test('is complete while versions and checkpoints are created and deleted', async (t) => {
  const { directory, state, store } = await openIn(t);
  await publishNew(store, 'kept', 'kept');
  const job = await newJob(store, 'running');
  let backups = 0;
  async function change(): Promise<void> {
    for (let n = 1; backups < 2; n++) {
      await publishNew(store, 'changed', `parameters ${n}`);
      await store.aliases.move('changed', 'champion', n, 'ci');
      await runOf(job).saveCheckpoint({ step: n, epoch: 0, loss: null }, Buffer.from(`checkpoint ${n}`));
      if (n > 5) await store.models.remove('changed', n - 5);
    }
  }
  async function backUpOften(): Promise<void> {
    for (; backups < 2; backups++) {
      const backup = join(directory, `backup-${backups}`);
      assert.deepEqual((await backUp(state, backup)).missing, []);
      const { models, warnings } = await readBackup(t, backup);
      assert.ok(models.includes('kept'));
      assert.deepEqual(warnings, []);
    }
  }
  await Promise.all([change(), backUpOften()]);
});

test('reports files that are missing in the state directory', async (t) => {
  const { directory, state, store } = await openIn(t);
  await publishNew(store, 'shoes', 'parameters');
  await publishNew(store, 'shoes', 'others');
  const [name] = await readdir(join(state, 'blobs'));
  await rm(join(state, 'blobs', name!));
  assert.deepEqual(await backUp(state, join(directory, 'backup')), { files: 1, missing: [`blobs/${name}`] });
});

test('rejects a directory without a database, and a target that exists, has no parent or is inside', async (t) => {
  const { directory, state } = await openIn(t);
  const nothing = join(directory, 'nothing');
  await assert.rejects(
    backUp(nothing, join(directory, 'backup')),
    failure('state-unusable', nothing, 'STATE_DIR'),
  );
  await assert.rejects(backUp(state, state), { code: 'EEXIST' });
  await assert.rejects(backUp(state, join(nothing, 'x')), failure('state-unusable', nothing, 'Create it'));
  const link = join(directory, 'link');
  await symlink(join(state, 'blobs'), link);
  for (const target of [join(state, 'backup'), join(link, 'backup')]) {
    await assert.rejects(backUp(state, target), failure('state-unusable', target, 'inside'));
  }
});

/** A backup of one version, one data set and one checkpoint. */
async function makeBackup(t: TestContext) {
  const { directory, state, store } = await openIn(t);
  await publishNew(store, 'shoes', 'parameters');
  await calibrate(store, 'shoes', 1, 'calibration');
  await addDataset(store, 'dst_a');
  const job = await newJob(store, 'running');
  await runOf(job).saveCheckpoint({ step: 1, epoch: 0, loss: null }, Buffer.from('checkpoint'));
  await writeFile(join(state, 'api-key'), 'hash');
  const backup = join(directory, 'backup');
  await backUp(state, backup);
  return { directory, state, backup };
}

const listAll = async (directory: string) => (await readdir(directory, { recursive: true })).toSorted();

test('a restored backup has everything, also after a restore that was killed, and in a new file system', async (t) => {
  const { directory, backup } = await makeBackup(t);
  const killed = join(directory, 'killed');
  await cp(backup, join(killed, 'unfinished-restore'), { recursive: true });
  await mkdir(join(killed, 'blobs'));
  await assert.rejects(openStore(killed), failure('state-unusable', killed, 'npx atelier restore'));
  const mounted = join(directory, 'mounted');
  await mkdir(join(mounted, 'lost+found'), { recursive: true });
  for (const target of [killed, mounted, join(directory, 'new/state')]) {
    assert.equal(await restore(backup, target), 4);
    assert.equal(await readFile(join(target, 'api-key'), 'utf8'), 'hash');
    assert.deepEqual(await readBackup(t, target), { models: ['shoes'], checkpoints: 1, warnings: [] });
  }
});

test('a restore of a damaged backup names the file, and leaves the directory as it was', async (t) => {
  const { directory, backup } = await makeBackup(t);
  const empty = join(directory, 'empty');
  await mkdir(empty);
  const files = await listAll(backup);
  const bytes = (name: string) => readFile(join(backup, name));
  for (const name of files.filter((file) => /\/|sqlite$/.test(file))) {
    const whole = await bytes(name);
    await (name === 'atelier.sqlite'
      ? writeFile(join(backup, name), Buffer.from(whole).fill(0x5a, 4096, 8192))
      : appendFile(join(backup, name), 'x'));
    for (const target of [empty, join(directory, 'new')]) {
      const error = failure('state-unusable', join(backup, name), 'damaged', 'another backup');
      await assert.rejects(restore(backup, target), error, name);
    }
    await rm(join(backup, name));
    await assert.rejects(restore(backup, empty), failure('state-unusable', join(backup, name)));
    await mkdir(join(backup, name));
    await assert.rejects(restore(backup, empty), failure('state-unusable', join(backup, name)));
    await rm(join(backup, name), { recursive: true });
    await writeFile(join(backup, name), whole);
    assert.deepEqual(await readdir(empty), []);
    assert.ok(!(await readdir(directory)).includes('new'));
  }
  assert.equal(await restore(backup, empty), 4);
});

test('a state of a newer version is neither backed up nor restored, because it may have other files', async (t) => {
  const { directory, backup } = await makeBackup(t);
  const raw = new DatabaseSync(join(backup, 'atelier.sqlite'));
  raw.exec(`insert into kysely_migration values ('0099-sweeps', '2027-01-01')`);
  raw.close();
  const newer = failure('state-unusable', join(backup, 'atelier.sqlite'), 'newer version', '0099-sweeps');
  for (const copy of [backUp, restore]) await assert.rejects(copy(backup, join(directory, 'target')), newer);
  assert.ok(!(await readdir(directory)).includes('target'));
});

test('a restore rejects a database that names a file outside of the directory', async (t) => {
  const { directory, backup } = await makeBackup(t);
  const raw = new DatabaseSync(join(backup, 'atelier.sqlite'));
  raw.exec(`update datasets set id = 'dst_/../../escaped'`);
  raw.close();
  await cp(join(backup, 'datasets/dst_a'), join(backup, 'escaped'));
  await mkdir(join(backup, 'datasets/dst_'));
  const target = join(directory, 'target');
  await assert.rejects(restore(backup, target), failure('state-unusable', 'dst_/../../escaped'));
  assert.ok(!(await readdir(directory)).includes('target'));
});

test('a restore rejects a directory that is used or not empty, and a backup that a service uses', async (t) => {
  const { directory, state, backup } = await makeBackup(t);
  await assert.rejects(restore(backup, state), failure('state-locked', state));
  await assert.rejects(restore(state, join(directory, 'target')), failure('state-locked', state));
  const before = await listAll(backup);
  await assert.rejects(
    restore(backup, backup),
    failure('state-unusable', backup, 'not empty', 'checkpoints'),
  );
  assert.deepEqual(await listAll(backup), before);
  await assert.rejects(restore(directory, state), failure('state-unusable', directory, 'npx atelier backup'));
  // Neither a killed restore nor a database: what is there belongs to something else.
  const other = join(directory, 'other');
  await mkdir(join(other, 'blobs'), { recursive: true });
  await assert.rejects(restore(backup, other), failure('state-unusable', 'not empty', 'blobs'));
  assert.deepEqual(await readdir(other), ['blobs']);
});

test('a state of an earlier schema is backed up and restored, and then migrated', async (t) => {
  const { directory, backup } = await makeBackup(t);
  const target = join(directory, 'target');
  assert.equal(await restore(backup, target), 4);
  const next = { ...migrations, '0007-next': { up: async () => {} } };
  await prepareDatabase(join(target, 'atelier.sqlite'), () => {}, next);
  assert.ok((await readdir(target)).includes('before-0007.sqlite'));
});

test('a state of a development version is neither backed up nor restored, and the error gives advice', async (t) => {
  const { directory, backup } = await makeBackup(t);
  const file = join(backup, 'atelier.sqlite');
  const raw = new DatabaseSync(file);
  raw.exec(`update kysely_migration set name = '0001-initial' where name = '0001-baseline'`);
  raw.close();
  const refused = failure('state-unusable', file, 'before 0.1.0', 'export them', 'STATE_DIR');
  await assert.rejects(openStore(backup), refused);
  for (const copy of [backUp, restore])
    await assert.rejects(copy(backup, join(directory, 'target')), refused);
});

test('a file whose row is deleted while a backup is taken does not stay in the backup', async (t) => {
  const { directory, state, store } = await openIn(t);
  for (const id of ['dst_a', 'dst_b']) await addDataset(store, id, id);
  // Its row makes the backup copy the database a second time.
  await rm(join(state, 'datasets/dst_b'));
  const backup = join(directory, 'backup');
  const raw = new DatabaseSync(join(state, 'atelier.sqlite'));
  t.after(() => raw.close());
  await replaceSync(t, 'sync', async (sync) => {
    await sync();
    if (existsSync(join(backup, 'datasets/dst_a'))) raw.exec("delete from datasets where id = 'dst_a'");
  });
  assert.deepEqual(await backUp(state, backup), { files: 0, missing: ['datasets/dst_b'] });
  assert.deepEqual(await readdir(join(backup, 'datasets')), []);
});

test('a database that is damaged or none at all is not backed up', async (t) => {
  const { directory, backup } = await makeBackup(t);
  const file = join(backup, 'atelier.sqlite');
  const bytes = await readFile(file);
  await writeFile(file, Buffer.from(bytes).fill(0x5a, bytes.length - 8192, bytes.length - 4096));
  const unusable = failure('state-unusable', `${file} cannot be used`, 'Restore it from a backup');
  await assert.rejects(backUp(backup, join(directory, 'damaged')), unusable);
  await writeFile(file, 'notes, no database'.padEnd(4096, '.'));
  await assert.rejects(backUp(backup, join(directory, 'none')), unusable);
  assert.ok(!(await readdir(directory)).includes('none'));
});
