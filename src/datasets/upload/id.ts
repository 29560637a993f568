/** Content-derived ids: equal uploads get the same id. */
import { hash } from 'node:crypto';
import type { DatasetSummary } from '../../domain/datasets/representation.ts';

const DIGITS = 40;

/**
 * `dst_` and 160 bits of a SHA-256 over the digest of pixels and labels, the size of each split, the class names, and the
 * preprocessing if there is one: it decides what models do that are trained on the data set.
 */
export function datasetId({
  digest,
  splits,
  classNames,
  preprocessing,
}: Pick<DatasetSummary, 'digest' | 'splits' | 'classNames' | 'preprocessing'>): string {
  const content: unknown[] = [digest, splits.train.examples, splits.test.examples, classNames];
  if (preprocessing) content.push(preprocessing);
  return `dst_${hash('sha256', JSON.stringify(content)).slice(0, DIGITS)}`;
}
