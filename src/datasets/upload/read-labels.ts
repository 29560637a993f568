/** Labels of an uploaded array → a byte a label. */
import { MAX_CLASSES } from '../../domain/dataset.ts';
import type { ArrayReader } from './array-reader.ts';
import { rejectPart } from './reject-part.ts';

export interface ReadLabels {
  readonly labels: Uint8Array;
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * @param classes how many there are; null where only the labels say
 * @throws AtelierError `invalid-dataset-file` naming the first that is none
 */
export async function readLabels(array: ArrayReader, classes: number | null): Promise<ReadLabels> {
  const { part } = array;
  const labels = new Uint8Array(countLabels(array));
  const limit = (classes ?? MAX_CLASSES) - 1;
  let [index, minimum, maximum] = [0, Number.POSITIVE_INFINITY, 0];
  for await (const stretch of array.chunks()) {
    for (let i = 0; i < stretch.length; i++, index++) {
      const label = Number(stretch[i]!);
      if (!(label >= 0 && label <= limit && Number.isInteger(label))) {
        const why =
          classes === null ? `there are at most ${MAX_CLASSES} classes` : `there are ${classes} class names`;
        rejectPart(
          part,
          `label ${index} is ${label}; labels are whole numbers from 0 to ${limit}, since ${why}`,
        );
      }
      if (label < minimum) minimum = label;
      if (label > maximum) maximum = label;
      labels[index] = label;
    }
  }
  return { labels, minimum, maximum };
}

/** @throws AtelierError `invalid-dataset-file` where the shape is neither (n,) nor (n, 1) */
export function countLabels({ part, shape }: ArrayReader): number {
  const [count, ...rest] = shape;
  if (rest.length === 0 || (rest.length === 1 && rest[0] === 1))
    return count ?? rejectPart(part, 'it is one number');
  const advice = rest.length === 1 ? '; one-hot rows become labels by .argmax(1)' : '';
  return rejectPart(
    part,
    `its shape is (${shape.slice(0, 8).join(', ')}); labels have shape (n,) or (n, 1)${advice}`,
  );
}
