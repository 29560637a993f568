/** Storage of the bootstrap key that replicas share: its hash, in a row. */
import type { Kysely } from 'kysely';
import { type ApiKey, formatApiKey, parseApiKeys } from '../../domain/api-key.ts';
import type { BootstrapKeys } from '../bootstrap-key.ts';
import type { Database } from '../database/tables.ts';
import type { PostgresTables } from './tables.ts';

const NAME = 'bootstrap';

/** Methods throw AtelierError `storage-unavailable`. */
export function createSharedBootstrapKey(database: Kysely<Database>): BootstrapKeys {
  const db = database.withTables<Pick<PostgresTables, 'keys'>>();
  const toRow = (key: ApiKey) => ({ name: NAME, key: formatApiKey(key) });

  async function read(from: Pick<typeof db, 'selectFrom'> = db): Promise<ApiKey | undefined> {
    const row = await from.selectFrom('keys').select('key').where('name', '=', NAME).executeTakeFirst();
    return row && parseApiKeys(row.key)[0];
  }

  return {
    read: () => read(),
    async save(key) {
      await db
        .insertInto('keys')
        .values(toRow(key))
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ key: toRow(key).key }))
        .execute();
    },
    create: (key, show) =>
      db.transaction().execute(async (trx) => {
        // Waits for another process that is storing one.
        const { numInsertedOrUpdatedRows } = await trx
          .insertInto('keys')
          .values(toRow(key))
          .onConflict((conflict) => conflict.column('name').doNothing())
          .executeTakeFirstOrThrow();
        if (numInsertedOrUpdatedRows === 0n) return (await read(trx))!;
        show();
        return key;
      }),
  };
}
