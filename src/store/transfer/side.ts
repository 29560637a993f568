/** One side of a transfer: a state directory, or a database that replicas share. */
import type { Kysely } from 'kysely';
import type { Kind } from '../blobs/references.ts';
import type { BootstrapKeys } from '../bootstrap-key.ts';
import type { Database } from '../database/tables.ts';

export interface TransferSide {
  /** For messages, such as `the state directory /srv/state`. */
  readonly name: string;
  readonly db: Kysely<Database>;
  readonly blobs: Readonly<Record<Kind, TransferredBlobs>>;
  readonly bootstrapKeys: Pick<BootstrapKeys, 'read' | 'save'>;
  close(): Promise<void>;
}

export interface TransferredBlobs {
  /** Returns those of the blobs that are not stored yet. */
  missing(blobs: readonly BlobName[]): Promise<readonly BlobName[]>;
  /** Copies the blob to a new file at `path`. @throws AtelierError `state-unusable` if it is missing or damaged */
  read(blob: BlobName, path: string): Promise<void>;
  /**
   * Stores the file at `path` durably as the blob. The file may be moved, so `path` may be gone afterwards.
   * @throws AtelierError `storage-full`, `state-unusable` if the file is found to have another digest
   */
  write(blob: BlobName, path: string): Promise<void>;
}

export interface BlobName {
  readonly digest: string;
  /** Name of the model (parameters), id of the data set, or id of the job (checkpoints, predictions). */
  readonly id: string;
}
