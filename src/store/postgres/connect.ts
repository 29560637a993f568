/** A pool of connections to PostgreSQL. The client is loaded on demand. */
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  type PostgresPool,
  type PostgresPoolClient,
} from 'kysely';
import type { PoolClient } from 'pg';
import { hasCode } from '../../errors.ts';
import type { Database } from '../database/tables.ts';
import { storageUnavailable, toStorageError } from './errors.ts';

/** The schema of all tables. PgBouncer refuses to set the search path of a connection. */
export const SCHEMA = 'atelier';

/** Also the longest wait for a connection that others of this process use. */
const CONNECT_TIMEOUT_MS = 10_000;
/** A process that hangs in a transaction holds locks that all others wait for, so the server ends its session. */
const IDLE_IN_TRANSACTION_MS = 6_000;
const STATEMENT_MS = 30_000;
/** Longer than the server's own limit: reached only if nothing arrives any more. */
const REPLY_MS = 40_000;
/** Interval at which a missing connection or reply causes a check whether the database is away. */
const CHECK_MS = 3_000;
/** The limits are set per transaction, because PgBouncer refuses them as parameters of a connection. */
const BEGIN = `begin; set local idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}; set local statement_timeout = ${STATEMENT_MS}`;

/** Object id of `bigint`. Counts and the columns of steps and bytes are below 2^53. */
const INT8 = 20;

export interface PostgresOptions {
  /** Such as `postgres://user:password@host:5432/database` */
  readonly url: string;
  /** Connections at most; default 4. */
  readonly poolSize?: number | undefined;
  /**
   * Whether the database has not been reachable lately: then a connection and each reply is waited for 3 s instead of
   * 5 s and 40 s. Lost packets cause no error.
   */
  readonly isCutOff?: (() => boolean) | undefined;
}

interface PoolSettings extends PostgresOptions {
  readonly timeoutMs?: number;
}

/** Opens no connection yet. @throws Error if the address is not valid */
export async function connectPostgres(options: PostgresOptions): Promise<Kysely<Database>> {
  return toDatabase(await createStorePool(options));
}

/** The pool of a store. Opens no connection yet. @throws Error if the address is not valid */
export function createStorePool(options: PostgresOptions): Promise<PostgresPool> {
  return createPool({ ...options, timeoutMs: REPLY_MS });
}

export function toDatabase(pool: PostgresPool): Kysely<Database> {
  return new Kysely<Database>({ dialect: new LimitedDialect({ pool }) }).withSchema(SCHEMA);
}

/** Sends one statement, or several without values, outside a transaction. Returns the rows of all. */
export type SendStatements = (text: string, values?: unknown[]) => Promise<{ rows: unknown[] }>;

export function sendStatements(pool: PostgresPool): SendStatements {
  return async (text, values = []) => {
    const client = await pool.connect();
    try {
      const results = await client.query<{ rows: unknown[] }>(text, values);
      return { rows: [results].flat().flatMap(({ rows }) => rows) };
    } finally {
      client.release();
    }
  };
}

class LimitedDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): PostgresDriver {
    return new LimitedDriver(this.#config);
  }
}

class LimitedDriver extends PostgresDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(BEGIN));
  }
}

/** Statements and connections throw AtelierError `storage-unavailable`, `storage-full` or `state-unusable`. */
export async function createPool({
  url,
  poolSize = 4,
  isCutOff,
  timeoutMs,
}: PoolSettings): Promise<PostgresPool> {
  const { default: pg } = await import('pg');
  const getTypeParser: typeof pg.types.getTypeParser = (id, format) =>
    id === INT8 ? Number : pg.types.getTypeParser(id, format);
  const pool = new pg.Pool({
    application_name: 'atelier',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    max: poolSize,
    ...(timeoutMs !== undefined && { query_timeout: timeoutMs }),
    connectionString: url,
    types: { getTypeParser },
  });
  // The user of a lost connection gets an error from its statement; an idle one is replaced.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return {
    options: pool.options,
    async connect() {
      const connecting = pool.connect();
      try {
        return adapt(await named(() => unlessCutOff(connecting, isCutOff)), isCutOff);
      } catch (error) {
        connecting.then((client) => client.release()).catch(() => {}); // it may be there too late
        throw error;
      }
    },
    end: () => pool.end(),
  };
}

async function named<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStorageError(error);
  }
}

/** Rejects if the result is missing while the database is away. The caller must not use the connection again. */
async function unlessCutOff<T>(result: Promise<T>, isCutOff?: () => boolean): Promise<T> {
  if (!isCutOff) return result;
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setInterval(() => {
    if (isCutOff()) reject(storageUnavailable(new Error('no reply')));
  }, CHECK_MS);
  try {
    return await Promise.race([result, promise]);
  } finally {
    clearInterval(timer);
  }
}

/** One use of a connection. After it is lost, every further statement throws the first error. */
function adapt(client: PoolClient, isCutOff?: () => boolean): PostgresPoolClient {
  let lost: unknown;
  const reply = <T>(result: Promise<T>) => named(() => unlessCutOff(result, isCutOff));

  async function query(sql: string, parameters: readonly unknown[] = []) {
    if (lost !== undefined) throw lost;
    try {
      return await reply(client.query(sql, [...parameters]));
    } catch (error) {
      if (hasCode(error, 'storage-unavailable')) lost = error;
      throw error;
    }
  }

  return {
    query: query as unknown as PostgresPoolClient['query'],
    release: (destroy = false) => client.release(destroy || lost !== undefined),
  };
}
