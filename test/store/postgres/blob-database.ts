/** Databases with all tables, and connections to them. */
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Kysely } from 'kysely';
import type { Database } from '../../../src/store/database/tables.ts';
import { connectPostgres } from '../../../src/store/postgres/connect.ts';
import { migratePostgres } from '../../../src/store/postgres/migrate.ts';
import { execute, serverUrl, temporaryDatabase } from '../../support/servers/postgres.ts';
import type { Scope } from '../../support/start-service.ts';

let template: Promise<string> | undefined;

/** The name of a migrated database, which is left to the end of the server. */
async function migratedTemplate(): Promise<string> {
  const server = await serverUrl();
  const name = `template_${randomUUID().replaceAll('-', '')}`;
  await execute(server, `create database ${name} template template0 strategy wal_log locale 'C'`);
  await migratePostgres(server.replace(/[^/]+$/, name));
  return name;
}

/** The address of a new database with all tables: a copy of one that is migrated once, because that takes longer. */
export async function sharedDatabase(scope: Scope): Promise<string> {
  template ??= migratedTemplate();
  return temporaryDatabase(scope, { template: await template });
}

/** @returns connections of a new database, and more with each call of `connect` */
export async function blobDatabase(t: TestContext) {
  const url = await sharedDatabase(t);
  async function connect(): Promise<Kysely<Database>> {
    const db = await connectPostgres({ url });
    t.after(() => db.destroy());
    return db;
  }
  return { url, db: await connect(), connect };
}
