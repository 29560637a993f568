import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openStore } from '../../../../src/store/sqlite/open.ts';
import { nextRelease } from '../../../support/next-release.ts';
import { failure, temporaryDirectory } from '../../fixtures.ts';

/** Writes a database that is too large for the main thread. */
async function writeLarge(directory: string): Promise<string> {
  await (await openStore(directory)).close();
  const file = join(directory, 'atelier.sqlite');
  const raw = new DatabaseSync(file);
  const values = ['anonymous', 'key', 'f', '2026-11-25', 200, null, 'text/plain', 'x'.repeat(9 * 2 ** 20)];
  raw.prepare(`insert into answers values (${values.map(() => '?').join(', ')})`).run(...values);
  raw.close();
  return file;
}

test('migrates a large database while the main thread runs, and logs each migration', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeLarge(directory);
  const next: typeof import('../../../../src/store/sqlite/open.ts') = await import(
    join(await nextRelease(t), 'store/sqlite/open.ts')
  );
  const lines: Record<string, unknown>[] = [];
  let turns = 0;
  const info = (fields: object, message: string) => {
    lines.push({ message, ...fields });
    setImmediate(() => turns++);
  };
  const store = await next.openStore(directory, { info, warn() {} });
  t.after(() => store.close());
  const [checking, copied, migrating, ...migrated] = lines;
  assert.equal(checking?.['message'], 'checking the database');
  assert.deepEqual(
    [copied?.['message'], copied?.['copy'], typeof copied?.['durationMs']],
    ['copied the database before its migration', join(directory, 'before-0007.sqlite'), 'number'],
  );
  const pending = ['0007-next'];
  assert.deepEqual(migrating, { message: 'migrating the database', migrations: pending });
  assert.deepEqual(
    migrated.map((line) => [line['message'], line['migration'], typeof line['durationMs']]),
    pending.map((name) => ['migrated the database', name, 'number']),
  );
  assert.ok(turns > 0);
  assert.equal(await store.jobs.isEmpty(), true);
});

test('rejects a large database that is damaged or newer, with the same advice as a small one', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = await writeLarge(directory);
  const bytes = await readFile(file);
  const raw = new DatabaseSync(file);
  raw.exec(
    `insert into kysely_migration (name, timestamp) values ('0099-sweeps', '2030-01-01T00:00:00.000Z')`,
  );
  raw.close();
  await assert.rejects(openStore(directory), failure('state-unusable', file, 'newer version', '0099-sweeps'));
  await writeFile(file, bytes.fill(0x5a, 4096, 8192));
  await assert.rejects(openStore(directory), failure('state-unusable', file, 'backup'));
});
