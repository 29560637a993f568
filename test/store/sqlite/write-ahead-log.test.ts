import assert from 'node:assert/strict';
import { stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { createSemaphore } from '../../../src/concurrency/semaphore.ts';
import { MAX_LOG_BYTES, openWriteAheadLog } from '../../../src/store/sqlite/write-ahead-log.ts';
import { temporaryDirectory } from '../fixtures.ts';
import { replaceSync } from './power-loss.ts';

/** A large log whose database has been removed, so that each attempt to copy it fails with a warning. */
async function openUncopyable(t: TestContext) {
  const file = join(await temporaryDirectory(t), 'atelier.sqlite');
  const resize = async (bytes: number) => {
    await writeFile(`${file}-wal`, '');
    await truncate(`${file}-wal`, bytes);
  };
  await resize(MAX_LOG_BYTES + 1);
  const warnings: string[] = [];
  let warned = Promise.withResolvers<void>();
  const log = await openWriteAheadLog(file, createSemaphore(1), (message) => {
    warnings.push(message);
    warned.resolve();
    warned = Promise.withResolvers();
  });
  return { log, warnings, resize, nextWarning: () => warned.promise };
}

test('warns if the log cannot be copied, and tries again when it has grown as much again', async (t) => {
  const { log, warnings, resize, nextWarning } = await openUncopyable(t);
  const first = nextWarning();
  await log.sync();
  await first;
  assert.match(warnings[0]!, /could not be copied.*unable to open.*Nothing is lost/);
  await log.sync();
  await resize(2 * MAX_LOG_BYTES + 2);
  const second = nextWarning();
  await log.sync();
  await second;
  await log.close();
  assert.equal(warnings.length, 2);
});

test('after a failed sync, the log is not copied any more', async (t) => {
  const file = join(await temporaryDirectory(t), 'atelier.sqlite');
  using raw = new DatabaseSync(file);
  raw.exec('pragma journal_mode = wal; pragma synchronous = off; pragma wal_autocheckpoint = 0');
  raw.exec(`create table notes (bytes); insert into notes values (zeroblob(${MAX_LOG_BYTES}))`);
  const connection = createSemaphore(1);
  const warnings: string[] = [];
  const log = await openWriteAheadLog(file, connection, (message) => warnings.push(message));
  await connection.run(async () => {
    await log.sync();
    await replaceSync(t, 'datasync', async () => {
      throw new Error('as the disk says');
    });
    await assert.rejects(log.sync(), /as the disk says/);
  });
  await log.close();
  assert.deepEqual(warnings, []);
  assert.ok((await stat(file)).size < MAX_LOG_BYTES);
});

test('a log of exactly the largest size is not copied yet', async (t) => {
  const { log, warnings, resize } = await openUncopyable(t);
  await resize(MAX_LOG_BYTES);
  await log.sync();
  await log.close();
  assert.deepEqual(warnings, []);
});
