/**
 * Transfer of a whole state from one database to another: blobs first, then rows in batches, then a comparison of both.
 * It can be killed at any moment and repeated.
 */
import type { Kysely } from 'kysely';
import { AtelierError } from '../../errors.ts';
import type { Database } from '../database/tables.ts';
import { timestamp } from '../database/timestamps.ts';
import { copyBlobs, verifyBlobs } from './copy-blobs.ts';
import type { TransferSide } from './side.ts';
import { digestState, type StateDigest } from './state-digest.ts';
import { insertRows, isEmpty, lastKey, readPages, TABLES, type Table } from './tables.ts';

export interface TransferOptions {
  readonly source: TransferSide;
  readonly target: TransferSide;
  /** Columns of each table, from the side that has only portable ones. */
  readonly columns: ReadonlyMap<Table, readonly string[]>;
  /** Path of a file that is replaced. */
  readonly temporary: string;
  /** Called after the comparison, before the target can be used; repeated if the transfer is. */
  readonly complete: () => Promise<void>;
  readonly report: (message: string) => void;
}

/**
 * @returns whether anything had to be done: false if this state has been transferred before
 * @throws AtelierError `state-unusable` if the target holds anything else, a blob is damaged, or a side is in use
 */
export async function transferState(options: TransferOptions): Promise<boolean> {
  const { source, target, columns, temporary, report } = options;
  const before = await digestState(source.db, columns);
  if (!(await begin(target, before.digest))) return false;
  report(`Copied ${await copyBlobs(source, target, temporary)} files.`);
  for (const table of TABLES) {
    await copyRows(source.db, target.db, table, columns.get(table)!);
    report(`Copied ${before.rows.get(table)} rows of ${table}.`);
  }
  await compare(options, before);
  await verifyBlobs(target, temporary);
  const key = await source.bootstrapKeys.read();
  if (key !== undefined) await target.bootstrapKeys.save(key);
  await options.complete();
  await target.db
    .updateTable('transfers')
    .set({ finished_at: timestamp() })
    .where('source', '=', before.digest)
    .execute();
  return true;
}

/** Returns false if the transfer is finished. */
async function begin({ name, db }: TransferSide, source: string): Promise<boolean> {
  const known = await db.selectFrom('transfers').selectAll().execute();
  const same = known.find((transfer) => transfer.source === source);
  if (same !== undefined) return same.finished_at === null;
  if (known.some(({ finished_at: finishedAt }) => finishedAt === null)) {
    throw new AtelierError(
      'state-unusable',
      `${capitalized(name)} holds an unfinished transfer of another state, or the source has changed since. ` +
        'Empty the target and start again.',
    );
  }
  if (known.length > 0 || !(await isEmpty(db))) {
    throw new AtelierError('state-unusable', `${capitalized(name)} is not empty. Choose an empty target.`);
  }
  await db.insertInto('transfers').values({ source, started_at: timestamp(), finished_at: null }).execute();
  return true;
}

/** Batches are inserted in the order of the key, so the last row of the target is where an unfinished copy continues. */
async function copyRows(
  source: Kysely<Database>,
  target: Kysely<Database>,
  table: Table,
  columns: readonly string[],
): Promise<void> {
  for await (const rows of readPages(source, table, columns, await lastKey(target, table))) {
    await target.transaction().execute((trx) => insertRows(trx, table, rows));
  }
}

/** @throws AtelierError `state-unusable` if source and target differ, or the source has changed in between */
async function compare({ source, target, columns }: TransferOptions, before: StateDigest): Promise<void> {
  for (const { name, db } of [source, target]) {
    const { digest, rows } = await digestState(db, columns);
    if (digest === before.digest) continue;
    const counts = TABLES.map((table) => `${table} ${rows.get(table)} of ${before.rows.get(table)}`);
    throw new AtelierError(
      'state-unusable',
      `${capitalized(name)} does not hold what the source held at the start of the transfer: ${counts.join(', ')} rows. ` +
        'Stop all processes that use either, empty the target and start again.',
    );
  }
}

/** @throws AtelierError `state-unusable` if the database holds an unfinished transfer */
export async function assertTransferred(db: Kysely<Database>): Promise<void> {
  const unfinished = db.selectFrom('transfers').select('started_at').where('finished_at', 'is', null);
  const transfer = await unfinished.executeTakeFirst();
  if (transfer === undefined) return;
  throw new AtelierError(
    'state-unusable',
    `The state is incomplete: its transfer began at ${transfer.started_at} and has not finished. ` +
      'Repeat npx atelier migrate-state with the same arguments.',
  );
}

const capitalized = (text: string) => text[0]!.toUpperCase() + text.slice(1);
