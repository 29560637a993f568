/** Files without a row at the start: a missing or older database, or a killed process. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { Kysely } from 'kysely';
import { sha256Hex } from '../../../src/store/blobs/content-addressed.ts';
import { createMarks } from '../../../src/store/blobs/marks.ts';
import type { Database } from '../../../src/store/database/tables.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { createDialect } from '../../../src/store/sqlite/dialect.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { referencedFiles } from '../../../src/store/sqlite/unreferenced-files.ts';
import { failure, newJob, runOf, temporaryDirectory, trained } from '../fixtures.ts';

const HEX = 'e'.repeat(64);
const KINDS = { blobs: HEX, checkpoints: HEX, datasets: 'dst_left' } as const;
const KIND_NAMES = Object.keys(KINDS) as (keyof typeof KINDS)[];

async function publishBytes(store: Store, bytes: Uint8Array): Promise<string> {
  const id = await newJob(store, 'running', 'shoes');
  await runOf(id).saveCheckpoint({ step: 1, epoch: 1, loss: null }, bytes);
  return store.blobs.putReferenced(bytes, async (digest) => {
    const model = { ...trained, digest };
    await runOf(id).finish({ status: 'succeeded', step: 1, reason: 'completed', model });
    return digest;
  });
}

/** A state directory with a version and a checkpoint, and a file of each kind without a row. */
async function withLeftovers(t: TestContext, ageMs: number) {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  const digest = await publishBytes(store, new Uint8Array([1]));
  await store.close();
  for (const kind of KIND_NAMES) {
    const file = join(directory, kind, KINDS[kind]);
    await writeFile(file, 'left behind');
    const at = new Date(Date.now() - ageMs);
    await utimes(file, at, at);
  }
  return { directory, digest };
}

/** Opens and closes the store; returns its warnings. */
async function restart(directory: string): Promise<string[]> {
  const warnings: string[] = [];
  await (await openStore(directory, { info() {}, warn: (message) => warnings.push(message) })).close();
  return warnings;
}

test('removes files without a row that are older than the last entry of the database', async (t) => {
  const { directory, digest } = await withLeftovers(t, 60_000);
  assert.deepEqual(await restart(directory), []);
  for (const kind of ['blobs', 'checkpoints']) {
    assert.deepEqual(await readdir(join(directory, kind)), [digest.slice('sha256:'.length)]);
  }
  assert.deepEqual(await readdir(join(directory, 'datasets')), []);
  assert.ok(!(await readdir(directory)).includes('lost+found'));
});

test('moves newer files without a row to lost+found, once, with a warning per directory', async (t) => {
  const { directory } = await withLeftovers(t, 0);
  const warnings = await restart(directory);
  assert.equal(warnings.length, KIND_NAMES.length);
  for (const [n, kind] of KIND_NAMES.entries()) {
    const target = join(directory, 'lost+found', kind);
    assert.match(warnings[n]!, / Moved to .*: 1\. .* restore the newer database/);
    for (const path of [join(directory, kind), target]) assert.ok(warnings[n]!.includes(path));
    assert.deepEqual(await readdir(target), [KINDS[kind]]);
    assert.equal(await readFile(join(target, KINDS[kind]), 'utf8'), 'left behind');
    assert.ok(!(await readdir(join(directory, kind))).includes(KINDS[kind]));
  }
  assert.deepEqual(await restart(directory), []);
});

test('a start with an older database loses no file if the newer one and its files are moved back', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'atelier.sqlite');
  await restart(directory);
  await copyFile(file, `${file}.older`);
  const store = await openStore(directory);
  const digest = await publishBytes(store, new Uint8Array([1, 2]));
  await store.close();
  await copyFile(file, `${file}.newer`);

  await copyFile(`${file}.older`, file);
  assert.equal((await restart(directory)).length, 2, 'the parameters and the checkpoint');
  await copyFile(`${file}.newer`, file);
  const name = digest.slice('sha256:'.length);
  await copyFile(join(directory, 'lost+found/blobs', name), join(directory, 'blobs', name));
  const again = await openStore(directory);
  t.after(() => again.close());
  assert.deepEqual(await again.blobs.get(digest), new Uint8Array([1, 2]));
});

test('does not start without the database if files of an earlier one exist, and changes nothing', async (t) => {
  for (const kind of KIND_NAMES) {
    const directory = await temporaryDirectory(t);
    await mkdir(join(directory, kind));
    await writeFile(join(directory, kind, KINDS[kind]), 'kept');
    const refused = failure(
      'state-unusable',
      'atelier.sqlite is missing',
      `${kind} (1)`,
      'backup',
      directory,
    );
    await assert.rejects(openStore(directory), refused);
    assert.deepEqual((await readdir(directory)).sort(), [kind, 'lock.sqlite'].sort());
    assert.deepEqual(await readdir(join(directory, kind)), [KINDS[kind]]);
    await rm(join(directory, kind), { recursive: true });
    await restart(directory);
  }
});

test('without a database, only files named as the store names them count', async (t) => {
  const directory = await temporaryDirectory(t);
  await mkdir(join(directory, 'datasets'));
  await writeFile(join(directory, 'datasets', 'upload.tmp'), 'half');
  await writeFile(join(directory, 'datasets', 'notes.txt'), 'not of the store');
  assert.deepEqual(await restart(directory), []);
  assert.deepEqual(await readdir(join(directory, 'datasets')), ['notes.txt']);
});

test('removes files that a process stored before it was killed, however new they are', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  const digest = await publishBytes(store, new Uint8Array([1]));
  await store.close();
  const kept = digest.slice('sha256:'.length);
  for (const kind of KIND_NAMES) {
    await createMarks(join(directory, kind)).add(KINDS[kind]);
    await writeFile(join(directory, kind, KINDS[kind]), 'left behind');
  }
  // The process was killed after the row was stored.
  await createMarks(join(directory, 'blobs')).add(kept);
  assert.deepEqual(await restart(directory), []);
  const names = await Promise.all(KIND_NAMES.map((kind) => readdir(join(directory, kind))));
  assert.deepEqual(names, [[kept], [kept], []]);
  assert.ok(!(await readdir(directory)).includes('lost+found'));
});

test('a file that appears again and again in place of a newer database is kept once in lost+found', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  await publishBytes(store, new Uint8Array([1]));
  await store.close();
  const orphan = new Uint8Array([9]);
  const name = (await sha256Hex(orphan)).slice('sha256:'.length);
  await writeFile(join(directory, 'checkpoints', name), orphan);
  // The files are named by their content, so a repetition adds nothing.
  for (let start = 0; start < 3; start++) {
    await writeFile(join(directory, 'checkpoints', name), orphan);
    assert.equal((await restart(directory)).length, 1);
    assert.deepEqual(await readdir(join(directory, 'lost+found/checkpoints')), [name]);
  }
});

// The last test, because its time is ahead, and the clock of this process then stands still.
test('removes the file of a deleted row although it is only a moment older than the last entry', async (t) => {
  const { directory, digest } = await withLeftovers(t, 0);
  const lastEntry = Date.now() + 1_000;
  const raw = new DatabaseSync(join(directory, 'atelier.sqlite'));
  raw.prepare('update model_versions set created_at = ?').run(new Date(lastEntry).toISOString());
  raw.close();
  const [fine, coarse] = [new Date(lastEntry - 100.5), new Date(Math.floor(lastEntry / 1000) * 1000 - 1000)];
  const place = (kind: 'blobs' | 'checkpoints') => join(directory, kind, KINDS[kind]);
  await utimes(place('blobs'), fine, fine);
  await rm(join(directory, 'datasets', KINDS.datasets));
  // A file system that rounds times to whole seconds.
  await utimes(place('checkpoints'), coarse, coarse);
  assert.equal((await restart(directory)).length, 1);
  assert.deepEqual(await readdir(join(directory, 'blobs')), [digest.slice('sha256:'.length)]);
  assert.deepEqual(await readdir(join(directory, 'lost+found')), ['checkpoints']);
});

test('the files of a schema without some of the tables and columns are those of the others', async (t) => {
  const raw = new DatabaseSync(':memory:');
  const db = new Kysely<Database>({ dialect: createDialect(raw) });
  t.after(() => db.destroy());
  assert.equal((await referencedFiles(db, 'blobs')).size, 0);
  raw.exec(
    `create table model_versions (digest text); insert into model_versions values ('sha256:${HEX}'), (null)`,
  );
  assert.deepEqual([...(await referencedFiles(db, 'blobs'))], [[HEX, `sha256:${HEX}`]]);
  assert.equal((await referencedFiles(db, 'predictions')).size, 0);
});
