import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockDirectory } from '../../../src/store/sqlite/lock.ts';
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
