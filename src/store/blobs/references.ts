/** The columns whose rows refer to blobs. */
import type { Database } from '../database/tables.ts';

/**
 * Kinds of blobs, which are the folders of a state directory, with the columns that refer to them. The names of files are
 * digests, and those of data sets their ids.
 */
export const REFERENCES = [
  { kind: 'blobs', table: 'model_versions', column: 'digest' },
  { kind: 'blobs', table: 'model_versions', column: 'calibration_digest' },
  { kind: 'checkpoints', table: 'checkpoints', column: 'digest' },
  { kind: 'datasets', table: 'datasets', column: 'digest' },
  { kind: 'predictions', table: 'prediction_files', column: 'digest' },
] as const satisfies readonly { kind: string; table: keyof Database; column: string }[];

export type Kind = (typeof REFERENCES)[number]['kind'];

export const referencesOf = (kind: Kind) => REFERENCES.filter((reference) => reference.kind === kind);
