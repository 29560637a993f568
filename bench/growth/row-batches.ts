/** Rows to insert into several tables, in statements of many rows. */
import type { Kysely, Selectable } from 'kysely';
import type { Database } from '../../src/store/database/tables.ts';

export type Row<T extends keyof Database> = Selectable<Database[T]>;

/** SQLite has at most 32,766 parameters in a statement. */
const BATCH_ROWS = 500;

export function createBatches(db: Kysely<Database>) {
  const batches = new Map<keyof Database, object[]>();
  return {
    add<T extends keyof Database>(table: T, row: Row<T>): void {
      const rows = batches.get(table) ?? [];
      batches.set(table, rows);
      rows.push(row);
    },
    /** Inserts complete batches, or with `isEnd` all rows. */
    async flush(isEnd = false): Promise<void> {
      for (const [table, rows] of batches) {
        while (rows.length >= (isEnd ? 1 : BATCH_ROWS)) {
          const batch = rows.splice(0, BATCH_ROWS) as Row<typeof table>[];
          await db.insertInto(table).values(batch).execute();
        }
      }
    },
  };
}
