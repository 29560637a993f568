/** Reads the labels of an uploaded array. */

import { MAX_CLASSES } from '../../../domain/datasets/representation.ts';
import { createLabels } from '../../../numerics/examples/labels.ts';
import { rejectPart } from '../reject-part.ts';
import { fromFortranOrder } from './read-images.ts';
import type { ArrayReader } from './reader.ts';

/**
 * Reads the labels, and the smallest and largest number of the file. One-hot rows become labels.
 * @param classes number of classes; null if it follows from the labels
 * @throws AtelierError `invalid-dataset-file` naming the first invalid label
 */
export async function readLabels(array: ArrayReader, classes: number | null) {
  const { part } = array;
  const limit = (classes ?? MAX_CLASSES) - 1;
  const labels = createLabels(limit + 1, countLabels(array));
  const width = array.shape[1] ?? 1;
  const toRows = array.fortranOrder && width > 1 ? fromFortranOrder(array.shape) : (index: number) => index;
  const marked = width > 1 ? new Uint8Array(labels.length) : null;
  let [index, minimum, maximum] = [0, Number.POSITIVE_INFINITY, 0];
  for await (const chunk of array.chunks()) {
    for (let i = 0; i < chunk.length; i++, index++) {
      const number = Number(chunk[i]!);
      if (number < minimum) minimum = number;
      if (number > maximum) maximum = number;
      if (!marked) {
        labels[index] = checkLabel(number, index);
        continue;
      }
      if (number === 0) continue;
      const position = toRows(index);
      const row = Math.floor(position / width);
      const label = position - row * width;
      if (number !== 1)
        rejectPart(
          part,
          `row ${row} has the number ${number}; one-hot rows have a single 1, and 0 otherwise`,
        );
      if (marked[row]) {
        const [first, second] = [labels[row]!, label].sort((a, b) => a - b);
        rejectPart(
          part,
          `image ${row} has several labels, ${first} and ${second}; one class an image is learnt, so choose one`,
        );
      }
      marked[row] = 1;
      labels[row] = checkLabel(label, row);
    }
  }
  const without = marked?.indexOf(0) ?? -1;
  if (without >= 0)
    rejectPart(part, `row ${without} has no 1; one-hot rows have a single 1, and 0 otherwise`);
  return { labels, minimum, maximum };

  function checkLabel(label: number, image: number): number {
    if (label >= 0 && label <= limit && Number.isInteger(label)) return label;
    const why =
      classes === null ? `there are at most ${MAX_CLASSES} classes` : `there are ${classes} class names`;
    return rejectPart(
      part,
      `label ${image} is ${label}; labels must be whole numbers from 0 to ${limit}, since ${why}`,
    );
  }
}

/** @throws AtelierError `invalid-dataset-file` unless the shape is (n,), (n, 1), or (n, classes) of one-hot rows */
export function countLabels({ part, shape }: Pick<ArrayReader, 'part' | 'shape'>): number {
  const [count] = shape;
  if (count === undefined) rejectPart(part, 'it is a single number');
  if (shape.length <= 2 && shape[1] !== 0) return count;
  return rejectPart(
    part,
    `its shape is (${shape.slice(0, 8).join(', ')}), but must be (n,), (n, 1) or one-hot (n, classes)`,
  );
}
