/** The tables of a state, in the order in which their rows can be inserted, and pages of their rows. */
import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** Each table with its primary key. A row refers to rows of tables above it. */
export const TRANSFERRED = {
  models: ['name'],
  datasets: ['id'],
  searches: ['id'],
  jobs: ['id'],
  job_labels: ['name', 'value', 'job_id'],
  webhooks: ['job_id'],
  metrics: ['job_id', 'epoch'],
  events: ['job_id', 'id'],
  checkpoints: ['job_id', 'step'],
  trials: ['search_id', 'trial', 'repeat'],
  search_events: ['search_id', 'id'],
  model_versions: ['name', 'version'],
  aliases: ['name', 'alias'],
  alias_moves: ['name', 'id'],
  prediction_jobs: ['id'],
  prediction_files: ['job_id', 'kind'],
  looks: ['dataset_digest', 'split', 'subject'],
  test_splits: ['dataset_digest', 'test_digest'],
  answers: ['caller', 'key'],
} as const satisfies Partial<Record<keyof Database, readonly string[]>>;

export type Table = keyof typeof TRANSFERRED;
export const TABLES = Object.keys(TRANSFERRED) as Table[];

/** Replicas exist only while processes share a database. */
const LEFT_OUT: readonly string[] = ['runner'];

export type Row = Readonly<Record<string, string | number | null>>;
/** Tables by a name that is not known to the compiler. */
type AnyTables = Record<string, Record<string, string | number | null>>;

/** Few enough for the number of parameters of a statement: 32,766 in SQLite. */
const ROWS_OF_PAGE = 500;

/** The columns that are transferred. @param sqlite a database with only portable columns */
export async function transferredColumns(
  sqlite: Kysely<Database>,
): Promise<ReadonlyMap<Table, readonly string[]>> {
  const tables = await sqlite.introspection.getTables();
  return new Map(
    TABLES.map((table) => {
      const { columns } = tables.find(({ name }) => name === table)!;
      const names = columns.map(({ name }) => name).filter((name) => !LEFT_OUT.includes(name));
      return [table, names.sort()];
    }),
  );
}

/** Pages of all rows after the one with this key, in the order of the primary key by bytes. */
export async function* readPages(
  db: Kysely<Database>,
  table: Table,
  columns: readonly string[],
  after?: readonly unknown[],
): AsyncGenerator<readonly Row[]> {
  const key: readonly string[] = TRANSFERRED[table];
  let last = after;
  for (;;) {
    let query = anyTables(db)
      .selectFrom(table)
      .select([...columns])
      .limit(ROWS_OF_PAGE);
    for (const column of key) query = query.orderBy(column);
    if (last !== undefined) {
      const [place, values] = [sql.join(key.map((column) => sql.ref(column))), sql.join([...last])];
      query = query.where(sql<boolean>`(${place}) > (${values})`);
    }
    const rows = await query.execute();
    if (rows.length > 0) yield rows;
    if (rows.length < ROWS_OF_PAGE) return;
    const row = rows.at(-1)!;
    last = key.map((column) => row[column]);
  }
}

/** The primary key of the last row, or undefined if the table is empty. */
export async function lastKey(db: Kysely<Database>, table: Table): Promise<readonly unknown[] | undefined> {
  const key: readonly string[] = TRANSFERRED[table];
  let query = anyTables(db)
    .selectFrom(table)
    .select([...key])
    .limit(1);
  for (const column of key) query = query.orderBy(column, 'desc');
  const row = await query.executeTakeFirst();
  return row && key.map((column) => row[column]);
}

export async function insertRows(db: Kysely<Database>, table: Table, rows: readonly Row[]): Promise<void> {
  await anyTables(db)
    .insertInto(table)
    .values([...rows])
    .execute();
}

export async function isEmpty(db: Kysely<Database>): Promise<boolean> {
  for (const table of TABLES) if ((await lastKey(db, table)) !== undefined) return false;
  return true;
}

function anyTables(db: Kysely<Database>): Kysely<AnyTables> {
  return db as unknown as Kysely<AnyTables>;
}
