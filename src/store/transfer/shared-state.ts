/** The database that replicas share as one side of a transfer. */
import { type Kysely, sql } from 'kysely';
import { AtelierError } from '../../errors.ts';
import { type BlobStore, damagedBlob } from '../blobs/content-addressed.ts';
import type { Database } from '../database/tables.ts';
import { withBlobTables } from '../postgres/blobs/tables.ts';
import { createSharedBootstrapKey } from '../postgres/bootstrap-key.ts';
import { SCHEMA } from '../postgres/connect.ts';
import { DEAD_MS, LIVE } from '../postgres/replicas/processes.ts';
import type { TransferredBlobs, TransferSide } from './side.ts';

/**
 * @param blobs in the database, or in a bucket; in a bucket a row may exist before its object
 * @throws AtelierError `state-locked` if a process uses the database
 */
export async function openSharedState(
  db: Kysely<Database>,
  { blobs, isBucket }: { readonly blobs: BlobStore; readonly isBucket: boolean },
): Promise<TransferSide> {
  await assertUnused(db);
  const shared = sharedBlobs(db, blobs, isBucket);
  return {
    name: 'the database',
    db,
    blobs: { blobs: shared, checkpoints: shared, datasets: shared, predictions: shared },
    bootstrapKeys: createSharedBootstrapKey(db),
    close: () => db.destroy(),
  };
}

function sharedBlobs(database: Kysely<Database>, blobs: BlobStore, isBucket: boolean): TransferredBlobs {
  const db = withBlobTables(database);
  return {
    async missing(names) {
      if (isBucket) return names;
      const digests = names.map(({ digest }) => digest);
      const rows = await db
        .selectFrom('blobs')
        .select('digest')
        .where('digest', 'in', digests)
        .where('whole', '=', true)
        .execute();
      const stored = new Set(rows.map(({ digest }) => digest));
      return names.filter(({ digest }) => !stored.has(digest));
    },
    read: ({ digest }, path) => blobs.getFile(digest, path),
    async write({ digest }, path) {
      if ((await blobs.putFile(path)) !== digest) throw damagedBlob(digest, 'Repeat the transfer.');
    },
  };
}

/** @throws AtelierError `state-locked` */
async function assertUnused(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ live: number }>`
    select count(*)::int as live from ${sql.table(`${SCHEMA}.replicas`)}
    where ${sql.raw(LIVE)}`.execute(db);
  const { live } = rows[0]!;
  if (live === 0) return;
  throw new AtelierError(
    'state-locked',
    `The database is in use by ${live} Atelier processes. Stop them; a killed process counts for ${DEAD_MS / 1000} s more.`,
  );
}
