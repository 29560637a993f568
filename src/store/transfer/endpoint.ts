/** One side of a transfer: a state directory, or a database that replicas share. */
import type { Kysely } from 'kysely';
import type { BootstrapKeys } from '../bootstrap-key.ts';
import type { Database } from '../database/tables.ts';

export interface Endpoint {
  /** For messages, such as `the state directory /srv/state`. */
  readonly name: string;
  readonly db: Kysely<Database>;
  readonly parameters: TransferredBlobs;
  readonly checkpoints: TransferredBlobs;
  readonly datasets: TransferredBlobs;
  readonly predictions: TransferredBlobs;
  readonly bootstrapKeys: Pick<BootstrapKeys, 'read' | 'save'>;
  close(): Promise<void>;
}

export interface TransferredBlobs {
  /** Those of the blobs that are not stored yet. */
  missing(blobs: readonly BlobName[]): Promise<readonly BlobName[]>;
  /** Writes the blob to a new file. @throws AtelierError `state-unusable` if it is missing or damaged */
  read(blob: BlobName, path: string): Promise<void>;
  /** Stores the file durably; it may be moved. @throws AtelierError `storage-full` */
  write(blob: BlobName, path: string): Promise<void>;
}

export interface BlobName {
  readonly digest: string;
  /** Id of the data set, name of the model, or id of the job of a checkpoint or of predictions. */
  readonly id: string;
}
