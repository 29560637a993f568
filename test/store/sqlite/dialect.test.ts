import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { CompiledQuery, Kysely } from 'kysely';
import { createDialect } from '../../../src/store/sqlite/dialect.ts';
import { failure, temporaryDirectory } from '../fixtures.ts';

test('a full database reports storage-full, loses nothing, and continues when there is space', async (t) => {
  const raw = new DatabaseSync(join(await temporaryDirectory(t), 'full.sqlite'));
  const db = new Kysely<{ notes: { text: string } }>({ dialect: createDialect(raw) });
  t.after(() => db.destroy());
  await db.schema.createTable('notes').addColumn('text', 'text').execute();
  const write = () =>
    db.transaction().execute(async (trx) => {
      for (let n = 0; n < 10; n++) {
        await trx
          .insertInto('notes')
          .values({ text: 'x'.repeat(1000) })
          .execute();
      }
    });
  const count = async () => (await db.selectFrom('notes').selectAll().execute()).length;
  await write();
  await db.executeQuery(CompiledQuery.raw('pragma max_page_count = 6'));
  await assert.rejects(write(), failure('storage-full', 'Free some space', 'STATE_DIR'));
  assert.equal(await count(), 10);
  await db.executeQuery(CompiledQuery.raw('pragma max_page_count = 100'));
  await write();
  assert.equal(await count(), 20);
});

test('an invalid statement is not reported as a disk failure', async (t) => {
  const raw = new DatabaseSync(join(await temporaryDirectory(t), 'notes.sqlite'));
  const db = new Kysely<{ nothing: { text: string } }>({ dialect: createDialect(raw) });
  t.after(() => db.destroy());
  await assert.rejects(db.selectFrom('nothing').selectAll().execute(), /no such table: nothing/);
});

test('a statement that is used again sees the changed schema', async (t) => {
  const raw = new DatabaseSync(join(await temporaryDirectory(t), 'kept.sqlite'));
  const db = new Kysely<{ notes: { text: string } }>({ dialect: createDialect(raw) });
  t.after(() => db.destroy());
  await db.schema.createTable('notes').addColumn('text', 'text').execute();
  await db
    .insertInto('notes')
    .values([{ text: 'a' }, { text: 'b' }, { text: 'c' }])
    .execute();
  const notes = db.selectFrom('notes').selectAll();
  assert.equal((await notes.execute()).length, 3);
  await db.schema.alterTable('notes').addColumn('author', 'text').execute();
  assert.deepEqual({ ...(await notes.execute())[0] }, { text: 'a', author: null });
});

test('only the weakest lock of a row, which SQLite does not need, is left out of a statement', (t) => {
  const raw = new DatabaseSync(':memory:');
  t.after(() => raw.close());
  const db = new Kysely<{ notes: { text: string } }>({ dialect: createDialect(raw) });
  const notes = db.selectFrom('notes').select('text');
  assert.equal(notes.forNoKeyUpdate().compile().sql.trimEnd(), notes.compile().sql);
  assert.match(notes.forUpdate().compile().sql, /for update$/);
});
