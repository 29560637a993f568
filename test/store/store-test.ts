/** Tests of the store that run once for each kind of database. */
import { type TestContext, test } from 'node:test';
import { migratePostgres } from '../../src/store/postgres/migrate.ts';
import { type Collation, createDatabase, execute, withoutPostgres } from '../postgres.ts';

const onPostgres = new WeakSet<TestContext>();
/** Of the databases; other orders than that of bytes show where a column lacks its own. */
let collation: Collation = 'icu';
let includesSqlite = true;

/** Call it before the tests are declared: they then run on PostgreSQL only, in a database that orders text by bytes. */
export function orderTextByBytes(): void {
  collation = 'C';
  includesSqlite = false;
}

/**
 * Declares a test for SQLite and for PostgreSQL, in a database that orders text by the rules of English unless a column
 * says otherwise. `temporaryStore` opens the store of that database.
 */
export function storeTest(name: string, body: (t: TestContext) => Promise<void>): void {
  if (includesSqlite) test(name, body);
  test(`${name} (PostgreSQL)`, { skip: withoutPostgres }, (t) => {
    onPostgres.add(t);
    return body(t);
  });
}

export function isOnPostgres(t: TestContext): boolean {
  return onPostgres.has(t);
}

/** Of rows in tests whose blob is not read; the database refuses a row without its blob. */
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
        and relname not in ('migrations', 'compatibility')
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
  const url = await createDatabase(collation);
  await migratePostgres(url);
  await execute(url, FILL);
  return url;
}

/** Call it when nothing is connected to the database any more. */
export async function giveDatabaseBack(url: string): Promise<void> {
  await execute(url, EMPTY, FILL);
  unused.push(url);
}
