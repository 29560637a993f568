/** Tests of the store that run on SQLite, and again on PostgreSQL. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { migratePostgres } from '../../src/store/postgres/migrate.ts';
import { type Collation, createDatabase, execute, withoutPostgres } from '../support/servers/postgres.ts';

const onPostgres = new WeakSet<TestContext>();
/** How the databases order text; null for SQLite. */
let collation: Collation | null = null;

/** Declares a test of the store that `temporaryStore` opens: in SQLite, or in the databases of `runOnPostgres`. */
export function storeTest(name: string, body: (t: TestContext) => Promise<void>): void {
  if (collation === null) {
    test(name, body);
    return;
  }
  test(`${name} (PostgreSQL, ${collation})`, { skip: withoutPostgres }, (t) => {
    onPostgres.add(t);
    return body(t);
  });
}

/** Declares the tests of all files that call `storeTest` for PostgreSQL. */
export async function runOnPostgres(order: Collation): Promise<void> {
  collation = order;
  const files = globSync('**/!(*.slow).test.ts', { cwd: import.meta.dirname });
  for (const file of files.toSorted()) {
    const path = join(import.meta.dirname, file);
    if (readFileSync(path, 'utf8').includes('storeTest(')) await import(path);
  }
}

export function isOnPostgres(t: TestContext): boolean {
  return onPostgres.has(t);
}

/** Blobs of rows whose content no test reads. The database rejects a row without its blob. */
const DIGESTS = Array.from('0123456789abcdef', (digit) => `('sha256:${digit.repeat(64)}', 0, true)`);

const FILL = `insert into atelier.blobs values ${DIGESTS}`;

const EMPTY = `
  do $$
  declare each regclass;
  begin
    set local session_replication_role = replica;
    for each in
      select oid from pg_class
      where relnamespace = 'atelier'::regnamespace and relkind in ('r', 'p') and not relispartition
        and relname not in ('kysely_migration', 'kysely_migration_lock', 'compatibility')
    loop
      execute format('delete from %s', each);
    end loop;
  end $$`;

/** Databases that no test uses now: creating one takes longer than emptying it. */
const unused: string[] = [];

/** Returns the address of a database with empty tables. */
export async function takeDatabase(): Promise<string> {
  const taken = unused.pop();
  if (taken !== undefined) return taken;
  const url = await createDatabase(collation ?? 'C');
  await migratePostgres(url);
  await execute(url, FILL);
  return url;
}

/** Call it when nothing is connected to the database any more. */
export async function giveDatabaseBack(url: string): Promise<void> {
  await execute(url, EMPTY, FILL);
  unused.push(url);
}
