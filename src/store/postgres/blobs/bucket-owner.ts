/** The owner of a bucket's prefix: the one database that may remove objects for which it has no row. */
import { createHash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { AtelierError } from '../../../errors.ts';
import type { Database } from '../../database/tables.ts';
import { type Objects, readBytes } from '../../s3/objects.ts';

/** The object that holds the id of the owner. */
const OWNER_OBJECT = 'owner';

/**
 * Makes the database the owner if the prefix has none. A copy restored from a dump is another database. It would remove
 * the objects that only the original knows. A physical copy has the id of the original and is not recognized.
 * @throws AtelierError `state-unusable` if another database is the owner, `storage-unavailable`
 */
export async function claimBucket(
  db: Kysely<Database>,
  objects: Pick<Objects, 'get' | 'put'>,
): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select system_identifier || '/' || oid as id from pg_control_system(), pg_database
    where datname = current_database()`.execute(db);
  const own = new TextEncoder().encode(rows[0]!.id);
  const owner = await objects.get(OWNER_OBJECT, readBytes);
  if (owner === undefined) {
    return objects.put(OWNER_OBJECT, own, createHash('sha256').update(own).digest('hex'));
  }
  if (Buffer.from(own).equals(owner)) return;
  throw new AtelierError(
    'state-unusable',
    'Objects of BLOB_URL that are no longer used are not removed, because they may belong to another database. It used ' +
      'this bucket and prefix first. Give each database its own prefix. If this database has taken the place of the ' +
      `other, delete the object "${OWNER_OBJECT}".`,
  );
}
