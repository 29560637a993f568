/** Digest of all rows of a state: equal in two databases if and only if they hold the same rows. */
import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';
import { readPages, TABLES, type Table } from './tables.ts';

export interface StateDigest {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  readonly rows: ReadonlyMap<Table, number>;
}

/** @param columns of each table; a database may have more */
export async function digestState(
  db: Kysely<Database>,
  columns: ReadonlyMap<Table, readonly string[]>,
): Promise<StateDigest> {
  const hash = createHash('sha256');
  const rows = new Map<Table, number>();
  for (const table of TABLES) {
    const names = columns.get(table)!;
    let count = 0;
    hash.update(JSON.stringify([table, names]));
    for await (const page of readPages(db, table, names)) {
      for (const row of page) hash.update(JSON.stringify(names.map((name) => row[name])));
      count += page.length;
    }
    rows.set(table, count);
  }
  return { digest: `sha256:${hash.digest('hex')}`, rows };
}
