import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockDirectory } from '../../../src/store/sqlite/lock.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { openStateDirectory } from '../../../src/store/transfer/state-directory.ts';
import { failure, newJob, temporaryDirectory } from '../fixtures.ts';

test('a state directory is locked until it is closed, and keeps nothing of a transfer', async (t) => {
  const directory = await temporaryDirectory(t);
  await assert.rejects(
    openStateDirectory(directory, true),
    failure('state-unusable', 'atelier.sqlite does not exist', 'Set STATE_DIR'),
  );
  assert.deepEqual(await readdir(directory), []);
  // A killed transfer has left a file.
  await mkdir(join(directory, 'transfer'));
  await writeFile(join(directory, 'transfer', 'blob'), 'left');
  const opened = await openStateDirectory(directory, false);
  assert.deepEqual(await readdir(join(directory, 'transfer')), []);
  await assert.rejects(openStateDirectory(directory, true), failure('state-locked', directory));
  assert.deepEqual(await opened.db.selectFrom('jobs').select('id').execute(), []);
  await writeFile(opened.temporary, 'left');
  await opened.close();
  assert.ok(!(await readdir(directory)).includes('transfer'));
  await (await openStateDirectory(directory, true)).close();
});

test('jobs that were active in a killed process are queued', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  const id = await newJob(store, 'running');
  await store.close();
  const { db, recoverJobs, close } = await openStateDirectory(directory, true);
  t.after(close);
  await recoverJobs();
  const jobs = await db.selectFrom('jobs').select(['id', 'status']).execute();
  assert.deepEqual(
    jobs.map((job) => ({ ...job })),
    [{ id, status: 'queued' }],
  );
});

test('blobs are files by their digest, and data sets by their id', async (t) => {
  const { blobs, temporary, close } = await openStateDirectory(await temporaryDirectory(t), false);
  t.after(close);
  const digest = `sha256:${createHash('sha256').update('content').digest('hex')}`;
  for (const kind of ['blobs', 'datasets'] as const) {
    const side = blobs[kind];
    const [stored, other] = [
      { digest, id: 'dst_a' },
      { digest: digest.replace(/.$/, (last) => (last === '0' ? '1' : '0')), id: 'dst_b' },
    ];
    assert.deepEqual(await side.missing([stored, other]), [stored, other]);
    await writeFile(temporary, 'content');
    await side.write(stored, temporary);
    assert.deepEqual(await side.missing([stored, other]), [other]);
    const copy = `${temporary}-${kind}`;
    await side.read(stored, copy);
    assert.equal(await readFile(copy, 'utf8'), 'content');
  }
  await writeFile(temporary, 'other content');
  await assert.rejects(
    blobs.blobs.write({ digest, id: '' }, temporary),
    failure('state-unusable', 'is damaged', 'Repeat the transfer.'),
  );
});

test('a state directory that cannot be opened is not locked', async (t) => {
  const directory = await temporaryDirectory(t);
  await mkdir(join(directory, 'blobs'));
  await writeFile(join(directory, 'blobs', 'e'.repeat(64)), 'of an earlier database');
  await assert.rejects(openStateDirectory(directory, false), failure('state-unusable', 'blobs (1)'));
  lockDirectory(directory).release();
});
