import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { assertUnusedDatabase, lockDirectory } from '../../../src/store/sqlite/lock.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { failure, temporaryDirectory } from '../fixtures.ts';
import { holdStore } from './hold-store.ts';

test('rejects a directory locked by another process, and names it', async (t) => {
  const directory = await temporaryDirectory(t);
  await holdStore(t, directory);
  await assert.rejects(
    openStore(directory),
    failure('state-locked', directory, 'another Atelier process', 'STATE_DIR'),
  );
});

test('the lock is released when the process is killed', async (t) => {
  const directory = await temporaryDirectory(t);
  const child = await holdStore(t, directory);
  await child.kill();
  await (await openStore(directory)).close();
});

test('the lock is released when the process exits without closing', async (t) => {
  const directory = await temporaryDirectory(t);
  const { child } = await holdStore(t, directory);
  child.stdin!.end();
  await once(child, 'exit');
  await (await openStore(directory)).close();
});

test('one process cannot open a directory twice, but can reopen it after closing', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  await assert.rejects(openStore(directory), failure('state-locked', directory));
  await store.close();
  await (await openStore(directory)).close();
});

test('a rejected attempt does not release the lock', async (t) => {
  const directory = await temporaryDirectory(t);
  const lock = lockDirectory(directory);
  assert.throws(() => lockDirectory(directory), failure('state-locked'));
  assert.throws(() => lockDirectory(directory), failure('state-locked'));
  lock.release();
  lockDirectory(directory).release();
});

test('a store that fails to open leaves the directory unlocked', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'atelier.sqlite'), 'no database');
  await assert.rejects(openStore(directory), failure('state-unusable'));
  assert.ok(existsSync(join(directory, 'lock.sqlite')));
  lockDirectory(directory).release();
});

test('a directory whose lock cannot be opened is unusable, not in use', async (t) => {
  const missing = join(await temporaryDirectory(t), 'missing');
  assert.throws(
    () => lockDirectory(missing),
    failure('state-unusable', join(missing, 'lock.sqlite'), 'unable to open', 'permissions'),
  );
});

test('a database that another connection has read is in use until that is closed', async (t) => {
  const file = join(await temporaryDirectory(t), 'atelier.sqlite');
  const other = new DatabaseSync(file);
  other.exec('pragma journal_mode = wal; create table notes (text)');
  const raw = new DatabaseSync(file, { timeout: 0 });
  raw.exec('pragma journal_mode = wal');
  const inUse = failure('state-locked', 'in use by another process, but lock.sqlite is not', 'was removed');
  assert.throws(() => assertUnusedDatabase(raw, file), inUse);
  raw.close();
  other.close();
  using next = new DatabaseSync(file, { timeout: 0 });
  next.exec('pragma journal_mode = wal');
  assertUnusedDatabase(next, file);
  // It is free for others again.
  using reader = new DatabaseSync(file, { timeout: 0 });
  assert.deepEqual(reader.prepare('select * from notes').all(), []);
});

test('an error that has nothing to do with other connections is not one of a lock', async (t) => {
  using raw = new DatabaseSync(join(await temporaryDirectory(t), 'atelier.sqlite'));
  raw.exec('begin');
  assert.throws(() => assertUnusedDatabase(raw, 'atelier.sqlite'), /within a transaction/);
});
