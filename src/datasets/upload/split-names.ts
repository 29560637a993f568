/** Names that people give to the splits of a data set, in folders, arrays, columns and file names. */

import type { SplitName } from '../../domain/datasets/representation.ts';

const NAMES: Readonly<Record<string, SplitName>> = {
  train: 'train',
  training: 'train',
  val: 'validation',
  valid: 'validation',
  validation: 'validation',
  dev: 'validation',
  test: 'test',
  testing: 'test',
};

export const SPLIT_NAMES = Object.keys(NAMES);

/** The split that a name in any case means; undefined if it means none. */
export function findSplit(name: string): SplitName | undefined {
  const lower = name.toLowerCase();
  return Object.hasOwn(NAMES, lower) ? NAMES[lower] : undefined;
}

/** The split in the name of a file, such as `val_labels.csv`. */
export function splitInName(name: string): SplitName | undefined {
  const words = name
    .split(/[/\\]/)
    .at(-1)!
    .split(/[^a-z]+/i);
  return words.flatMap((word) => findSplit(word) ?? [])[0];
}
