/** Uploaded data sets: tensors in files or blobs, metadata in rows. */

import type { DatasetReport } from '../../domain/datasets/report.ts';
import type { DatasetSummary } from '../../domain/datasets/representation.ts';
import type { JobStatus } from '../../domain/jobs/status.ts';
import type { IdempotencyRecord } from '../idempotency.ts';

export type NewDataset = Omit<DatasetSummary, 'createdAt' | 'report'> & {
  readonly report: DatasetReport;
  /** Digest of the test split by `digestSplit` */
  readonly testDigest: string;
};

export interface AddedDataset {
  readonly dataset: DatasetSummary;
  /** Whether the data set did not exist before. */
  readonly isNew: boolean;
}

export interface Datasets {
  /** Newest first. */
  list(): Promise<DatasetSummary[]>;
  find(id: string): Promise<DatasetSummary | undefined>;
  /** Path of a new temporary file on the disk of the data sets. The next start removes it if it still exists. */
  newFile(): string;
  /** Does nothing if the file does not exist. */
  discard(file: string): Promise<void>;
  /** Calls `read` with the path of the data set's file, and keeps the file until then. @throws errors of `read` */
  withFile<T>(dataset: Pick<DatasetSummary, 'id' | 'digest'>, read: (path: string) => Promise<T>): Promise<T>;
  /**
   * Adds a data set durably. An existing one keeps its name and time; its file is replaced and thereby repaired.
   * @param file path from `newFile`, already synced; the file is moved
   * @throws AtelierError `storage-full`
   */
  add(
    file: string,
    dataset: NewDataset,
    idempotency?: IdempotencyRecord<AddedDataset>,
  ): Promise<AddedDataset>;
  /**
   * Checks and deletes in one transaction; `Jobs.create` checks in its own that the data set exists.
   * @param onRemoved called between the deletions of row and file, so that the data set is never found without its file
   * @throws AtelierError `dataset-in-use` if an unfinished job trains on it or predicts it, `dataset-not-found`
   */
  remove(id: string, onRemoved?: () => void): Promise<void>;
  /** Data set ids of the jobs with these statuses, by job id. */
  usedBy(statuses: readonly JobStatus[]): Promise<ReadonlyMap<string, string>>;
}
