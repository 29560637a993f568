/** The tables of blobs. SQLite does not have them. */
import type { Generated, Kysely } from 'kysely';
import type { Database } from '../../database/tables.ts';

interface BlobTable {
  digest: string;
  bytes: number;
  /** Whether all chunks are stored in the database. */
  whole: boolean;
  /** Time of the last `put`, by the clock of the database. */
  created_at: Generated<Date>;
}

interface BlobChunkTable {
  digest: string;
  /** Number of the chunk, from 0. */
  n: number;
  /** 1 MiB; the last chunk is shorter. */
  bytes: Uint8Array;
}

export type BlobTables = {
  blobs: BlobTable;
  blob_chunks: BlobChunkTable;
};

export const withBlobTables = (db: Kysely<Database>) => db.withTables<BlobTables>();
