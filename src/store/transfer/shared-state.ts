/** The database that replicas share as one side of a transfer. */
import type { Kysely } from 'kysely';
import { type ApiKey, formatApiKey, parseApiKeys } from '../../domain/api-key.ts';
import { type BlobStore, damagedBlob } from '../blobs.ts';
import { withBlobTables } from '../postgres/blob-tables.ts';
import type { PostgresTables } from '../postgres/tables.ts';
import type { Database } from '../tables.ts';
import type { Endpoint, TransferredBlobs } from './endpoint.ts';

/** Name of the bootstrap key in the table of keys. */
const BOOTSTRAP = 'bootstrap';

/** @param blobs of the database, or of a bucket */
export function openSharedState(name: string, db: Kysely<Database>, blobs: BlobStore): Endpoint {
  const keys = db as unknown as Kysely<PostgresTables>;
  const transferred = sharedBlobs(db, blobs);
  return {
    name,
    db,
    parameters: transferred,
    checkpoints: transferred,
    datasets: transferred,
    async readBootstrapKey() {
      const row = await keys
        .selectFrom('keys')
        .select('key')
        .where('name', '=', BOOTSTRAP)
        .executeTakeFirst();
      return row && parseApiKeys(row.key)[0];
    },
    async saveBootstrapKey(key: ApiKey) {
      const row = { name: BOOTSTRAP, key: formatApiKey(key) };
      await keys
        .insertInto('keys')
        .values(row)
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ key: row.key }))
        .execute();
    },
    close: () => db.destroy(),
  };
}

function sharedBlobs(database: Kysely<Database>, blobs: BlobStore): TransferredBlobs {
  const db = withBlobTables(database);
  return {
    async stored(names) {
      const digests = names.map(({ digest }) => digest);
      const rows = await db
        .selectFrom('blobs')
        .select('digest')
        .where('digest', 'in', digests)
        .where('whole', '=', true)
        .execute();
      return new Set(rows.map(({ digest }) => digest));
    },
    read: ({ digest }, path) => blobs.getFile(digest, path),
    async write({ digest }, path) {
      if ((await blobs.putFile(path)) !== digest) throw damagedBlob(digest, 'Repeat the transfer.');
    },
  };
}
