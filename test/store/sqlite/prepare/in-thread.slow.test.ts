import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { migrations } from '../../../../src/store/migrations/all.ts';
import { openStore } from '../../../../src/store/sqlite/open.ts';
import { failure, temporaryDirectory } from '../../fixtures.ts';
import { writeOldDatabase } from '../old-database.ts';

/** Writes a database that is too large for the main thread. */
const writeLarge = (file: string) =>
  writeOldDatabase(file, '0004-idempotency', (insert) =>
    insert('answers', {
      caller: 'anonymous',
      key: 'key',
      fingerprint: 'f',
      created_at: '2026-11-25T00:07:51.589Z',
      status: 200,
      content_type: 'text/plain',
      body: 'x'.repeat(9 * 2 ** 20),
    }),
  );

test('migrates a large database while the main thread runs, and logs each migration', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeLarge(join(directory, 'atelier.sqlite'));
  const lines: Record<string, unknown>[] = [];
  let turns = 0;
  const info = (fields: object, message: string) => {
    lines.push({ message, ...fields });
    setImmediate(() => turns++);
  };
  const store = await openStore(directory, { info, warn() {} });
  t.after(() => store.close());
  const [checking, copied, migrating, ...migrated] = lines;
  assert.equal(checking?.['message'], 'checking the database');
  assert.deepEqual(
    [copied?.['message'], copied?.['copy'], typeof copied?.['durationMs']],
    ['copied the database before its migration', join(directory, 'before-0005.sqlite'), 'number'],
  );
  const pending = Object.keys(migrations).slice(4);
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
  const file = join(directory, 'atelier.sqlite');
  await writeLarge(file);
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
