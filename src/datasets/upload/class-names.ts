/** Default class names of a data set that has none. */
import { MIN_CLASSES } from '../../domain/datasets/representation.ts';
import type { Tensors } from '../tensor-cache.ts';
import { rejectPart } from './reject-part.ts';

/** "0", "1", … up to the highest label. @throws AtelierError `invalid-dataset-file` if there is only one class */
export function defaultClassNames({ train, test }: Tensors, part: string): string[] {
  let highest = 0;
  for (const { labels } of [train, test]) for (const label of labels) if (label > highest) highest = label;
  if (highest + 1 < MIN_CLASSES)
    rejectPart(part, `every label is 0; at least ${MIN_CLASSES} classes are required`);
  return Array.from({ length: highest + 1 }, (_, label) => `${label}`);
}
