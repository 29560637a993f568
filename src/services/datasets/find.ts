/** Finds the data set that a request body refers to. */
import { type Catalog, listDatasetIds } from '../../datasets/catalog.ts';
import type { Dataset, SplitName } from '../../domain/datasets/representation.ts';
import { showImageShape } from '../../domain/image-shape.ts';
import { AtelierError } from '../../errors.ts';
import { type ImageShape, isSameShape } from '../../numerics/network/image-shape.ts';

/**
 * @param pointer JSON pointer to the id in the body
 * @param missingMessage the beginning of the error message if the data set does not exist, without a full stop
 * @throws AtelierError `unknown-dataset`, with a list of the existing data sets; `dataset-damaged`
 */
export async function findDataset(
  catalog: Catalog,
  id: string,
  pointer: string,
  missingMessage = `Data set ${id} does not exist`,
): Promise<Dataset> {
  const dataset = await catalog.get(id);
  if (dataset) return dataset;
  throw unknownDataset(catalog, pointer, missingMessage);
}

export function unknownDataset(catalog: Catalog, pointer: string, message: string): AtelierError {
  const isEmpty = catalog.list().length === 0;
  const detail = isEmpty
    ? 'must be uploaded first, with POST /v1/datasets: no data set exists'
    : `must be one of: ${listDatasetIds(catalog)}`;
  return new AtelierError('unknown-dataset', `${message}; the data set ${detail}.`, {
    details: [{ pointer, detail }],
  });
}

/**
 * The part of a data set, or of its summary, that belongs to a split.
 * @throws AtelierError `impossible-request` if the data set has no validation split
 */
export function selectSplit<T extends object>(
  id: string,
  splits: { readonly [split in SplitName]?: T | null | undefined },
  split: SplitName,
  place: { readonly pointer: string } | { readonly parameter: string },
): T {
  const found = splits[split];
  if (found) return found;
  throw new AtelierError(
    'impossible-request',
    `Data set ${id} has no ${split} split. Use the split train or test, or upload the images with val_images and val_labels, or a folder val.`,
    { details: [{ ...place, detail: 'must be train or test for this data set' }] },
  );
}

/**
 * @param advice follows the message, as a sentence
 * @throws AtelierError `impossible-request` if the data set has other images, or more or fewer classes, than the model
 */
export function assertFitsModel(
  { id, imageShape, classNames: { length: found } }: Pick<Dataset, 'id' | 'imageShape' | 'classNames'>,
  model: string,
  {
    inputShape,
    classNames: { length: classes },
  }: { readonly inputShape: ImageShape; readonly classNames: readonly string[] },
  place: { readonly pointer: string } | { readonly parameter: string },
  advice?: string,
): void {
  const reject = (message: string, detail: string): never => {
    throw new AtelierError('impossible-request', [message, ...(advice ? [advice] : [])].join(' '), {
      details: [{ ...place, detail }],
    });
  };
  if (!isSameShape(imageShape, inputShape)) {
    const [wanted, sent] = [showImageShape(inputShape), showImageShape(imageShape)];
    reject(
      `Model ${model} takes images of ${wanted}, but those of data set ${id} are ${sent}.`,
      `must have images of ${wanted}, like the model`,
    );
  }
  if (found !== classes) {
    reject(
      `Model ${model} has ${classes} classes, but data set ${id} has ${found}.`,
      'must have the same number of classes as the model',
    );
  }
}
