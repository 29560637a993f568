/** Content-derived ids: equal uploads get the same id. */
import { hash } from 'node:crypto';
import type { DatasetSummary } from '../../domain/dataset.ts';

const DIGITS = 40;

/**
 * `dst_` and 160 bits of a SHA-256 over the digest of pixels and labels, the size of each split, and the class names.
 */
export function datasetId({
  digest,
  splits,
  classNames,
}: Pick<DatasetSummary, 'digest' | 'splits' | 'classNames'>): string {
  const content = JSON.stringify([digest, splits.train.examples, splits.test.examples, classNames]);
  return `dst_${hash('sha256', content).slice(0, DIGITS)}`;
}
