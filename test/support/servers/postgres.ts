/** Empty PostgreSQL databases for tests. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { addCleanup, type Scope } from '../start-service.ts';
import { INSTALL_ADVICE, postgresBinaries, SERVER_VARIABLE, startPostgres } from './postgres-server.ts';

/**
 * The `skip` option of tests that need PostgreSQL: the reason if it is not installed, else false. With CI=true such tests
 * fail instead.
 */
export const withoutPostgres =
  postgresBinaries() === undefined && process.env['CI'] !== 'true' ? INSTALL_ADVICE : false;

/** How text is ordered: by bytes, or by the rules of English. */
export type Collation = 'C' | 'icu';

const LOCALES: Readonly<Record<Collation, string>> = {
  C: "locale 'C'",
  icu: "locale_provider icu icu_locale 'en-US' locale 'C'",
};

let own: Promise<string> | undefined;

/** The address of the server of this test run; starts one if the test file runs alone. */
export function serverUrl(): Promise<string> {
  const shared = process.env[SERVER_VARIABLE];
  if (shared !== undefined) return Promise.resolve(shared);
  own ??= startPostgres().then((server) => {
    server.removeAtExit();
    return server.url;
  });
  return own;
}

/** Executes statements on the database that the address names. */
export async function execute(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * Creates an empty database, which is dropped at the end of the scope.
 * @param template a database to copy, which nothing is connected to; by default an empty one
 * @returns its address
 */
export async function temporaryDatabase(
  scope: Scope,
  { collation = 'C', template = 'template0' }: { collation?: Collation; template?: string } = {},
): Promise<string> {
  const url = await createDatabase(collation, template);
  const name = url.slice(url.lastIndexOf('/') + 1);
  addCleanup(scope, async () => execute(await serverUrl(), `drop database ${name} with (force)`));
  return url;
}

/** Creates an empty database, which is removed with the server, and returns its address. */
export async function createDatabase(collation: Collation, template = 'template0'): Promise<string> {
  const server = await serverUrl();
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const locale = template === 'template0' ? LOCALES[collation] : '';
  await execute(server, `create database ${name} template ${template} strategy wal_log ${locale}`);
  return server.replace(/[^/]+$/, name);
}
