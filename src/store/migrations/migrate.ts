/** Migrations of either database, run by Kysely's migrator. */
import type { Transaction } from 'kysely';
import { DEFAULT_MIGRATION_TABLE, type Migration, Migrator } from 'kysely/migration';
import { AtelierError } from '../../errors.ts';
import { BASELINE, type Migrations } from './all.ts';

/** Logs a step of the preparation. */
export type Report = (message: string, fields: Readonly<Record<string, unknown>>) => void;

/** Names the migrations that a database has. */
export const MIGRATION_TABLE = DEFAULT_MIGRATION_TABLE;

/**
 * Runs all pending migrations.
 * @param trx a transaction of the caller, so all of them succeed or none
 * @param schema of the tables in PostgreSQL
 */
export async function runMigrations<Tables>(
  trx: Transaction<Tables>,
  migrations: Migrations,
  report: Report,
  schema?: string,
): Promise<void> {
  const timed = ([name, { up }]: [string, Migration]): [string, Migration] => [
    name,
    {
      async up(db) {
        const startedAt = performance.now();
        await up(db);
        report('migrated the database', { migration: name, durationMs: elapsed(startedAt) });
      },
    },
  ];
  const provider = { getMigrations: async () => Object.fromEntries(Object.entries(migrations).map(timed)) };
  const options = { db: trx, provider, ...(schema !== undefined && { migrationTableSchema: schema }) };
  const { error } = await new Migrator(options).migrateToLatest();
  if (error !== undefined) throw error;
}

/** @returns whole milliseconds */
export const elapsed = (startedAt: number) => Math.round(performance.now() - startedAt);

/**
 * @param done the migrations of a database that has tables
 * @param name of the database in the error
 * @throws AtelierError `state-unusable` if no release has written the database
 */
export function rejectDevelopmentState(done: readonly string[], name: string, advice: string): void {
  if (done.includes(BASELINE)) return;
  throw new AtelierError(
    'state-unusable',
    `${name} was written by a development version of Atelier from before 0.1.0, and this version cannot migrate it. To keep its ` +
      `models, export them with that version and import them into this one. ${advice}`,
  );
}
