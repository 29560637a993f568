/** Tables that only PostgreSQL has. */
export interface PostgresTables {
  compatibility: CompatibilityTable;
  keys: KeyTable;
  limits: LimitTable;
  kysely_migration: MigrationTable;
}

/** One row. */
interface CompatibilityTable {
  id: 1;
  /** The migration that a process must know to use the database. */
  oldest_release: string;
}

interface KeyTable {
  name: string;
  /** In the format of API_KEYS */
  key: string;
}

/** Calls leased of the rate limits. */
interface LimitTable {
  /** The caller: an API key or an address */
  key: string;
  /** A `timestamptz`: only the database compares it, by its own clock. */
  window_start: string;
  /** Calls leased in the window */
  used: number;
  /** Calls of the last lease */
  leased: number;
}

/** Kysely's migrator keeps it. */
interface MigrationTable {
  name: string;
}
