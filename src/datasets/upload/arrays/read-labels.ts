/** Reads the labels of an uploaded array into one byte per label. */
import { MAX_CLASSES } from '../../../domain/datasets/representation.ts';
import { rejectPart } from '../reject-part.ts';
import type { ArrayReader } from './reader.ts';

/**
 * Reads the labels, and the smallest and largest of them.
 * @param classes number of classes; null if it follows from the labels
 * @throws AtelierError `invalid-dataset-file` naming the first invalid label
 */
export async function readLabels(array: ArrayReader, classes: number | null) {
  const { part } = array;
  const labels = new Uint8Array(countLabels(array));
  const limit = (classes ?? MAX_CLASSES) - 1;
  let [index, minimum, maximum] = [0, Number.POSITIVE_INFINITY, 0];
  for await (const chunk of array.chunks()) {
    for (let i = 0; i < chunk.length; i++, index++) {
      const label = Number(chunk[i]!);
      if (!(label >= 0 && label <= limit && Number.isInteger(label))) {
        const why =
          classes === null ? `there are at most ${MAX_CLASSES} classes` : `there are ${classes} class names`;
        rejectPart(
          part,
          `label ${index} is ${label}; labels must be whole numbers from 0 to ${limit}, since ${why}`,
        );
      }
      if (label < minimum) minimum = label;
      if (label > maximum) maximum = label;
      labels[index] = label;
    }
  }
  return { labels, minimum, maximum };
}

/** @throws AtelierError `invalid-dataset-file` unless the shape is (n,) or (n, 1) */
export function countLabels({ part, shape }: ArrayReader): number {
  const [count, ...rest] = shape;
  if (rest.length === 0 || (rest.length === 1 && rest[0] === 1))
    return count ?? rejectPart(part, 'it is a single number');
  const advice = rest.length === 1 ? '; convert one-hot rows to labels with .argmax(1)' : '';
  return rejectPart(
    part,
    `its shape is (${shape.slice(0, 8).join(', ')}), but must be (n,) or (n, 1)${advice}`,
  );
}
