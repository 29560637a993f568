/** Tables that only PostgreSQL has. */
export interface PostgresTables {
  compatibility: CompatibilityTable;
  keys: KeyTable;
  migrations: MigrationTable;
}

/** One row. */
interface CompatibilityTable {
  id: 1;
  /** The migration that a process must know to use the database. */
  oldest_release: string;
}

interface KeyTable {
  name: string;
  /** As in API_KEYS */
  key: string;
}

interface MigrationTable {
  name: string;
  at: string;
}
