/** Names that people give to the splits of a data set, in folders, arrays, columns and file names. */

export const UPLOAD_SPLITS = ['train', 'validation', 'test'] as const;
export type UploadSplit = (typeof UPLOAD_SPLITS)[number];

const NAMES: Readonly<Record<string, UploadSplit>> = {
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
export function findSplit(name: string): UploadSplit | undefined {
  const lower = name.toLowerCase();
  return Object.hasOwn(NAMES, lower) ? NAMES[lower] : undefined;
}

/** The split in the name of a file, such as `val_labels.csv`. */
export function splitInName(name: string): UploadSplit | undefined {
  const words = name
    .split(/[/\\]/)
    .at(-1)!
    .split(/[^a-z]+/i);
  return words.flatMap((word) => findSplit(word) ?? [])[0];
}
