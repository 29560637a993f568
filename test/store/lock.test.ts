import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { lockDirectory } from '../../src/store/lock.ts';
import { openStore } from '../../src/store/store.ts';
import { failure, temporaryDirectory } from './fixtures.ts';

async function holder(t: TestContext, directory: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'children/holding.ts'), directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  return child;
}

test('rejects a directory locked by another process, and names it', async (t) => {
  const directory = await temporaryDirectory(t);
  await holder(t, directory);
  await assert.rejects(
    openStore(directory),
    failure('state-locked', directory, 'another Atelier process', 'STATE_DIR'),
  );
});

test('the lock is released when the process is killed', async (t) => {
  const directory = await temporaryDirectory(t);
  const child = await holder(t, directory);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await openStore(directory)).close();
});

test('the lock is released when the process exits without closing', async (t) => {
  const directory = await temporaryDirectory(t);
  const child = await holder(t, directory);
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
