/** Whether two uploads are the same data set. */
import { hash } from 'node:crypto';
import type { DatasetSummary } from '../../domain/dataset.ts';

const DIGITS = 40;

/**
 * `dst_` and 160 bits of the SHA-256 of what makes a data set: the digest of its pixels and labels, how many there are in
 * each split, and the names of its classes.
 */
export function datasetId({
  digest,
  splits,
  classNames,
}: Pick<DatasetSummary, 'digest' | 'splits' | 'classNames'>): string {
  const content = JSON.stringify([digest, splits.train.examples, splits.test.examples, classNames]);
  return `dst_${hash('sha256', content).slice(0, DIGITS)}`;
}
