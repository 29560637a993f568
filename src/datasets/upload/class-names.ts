/** Class names for a data set that has none. */
import { MIN_CLASSES } from '../../domain/dataset.ts';
import type { Tensors } from '../tensor-cache.ts';
import { rejectPart } from './reject-part.ts';

/** "0", "1", … to the highest label. @throws AtelierError `invalid-dataset-file` where there is one class only */
export function defaultClassNames({ train, test }: Tensors, part: string): string[] {
  let highest = 0;
  for (const { labels } of [train, test]) for (const label of labels) if (label > highest) highest = label;
  if (highest + 1 < MIN_CLASSES)
    rejectPart(part, `every label is 0; there are ${MIN_CLASSES} classes at least`);
  return Array.from({ length: highest + 1 }, (_, label) => `${label}`);
}
