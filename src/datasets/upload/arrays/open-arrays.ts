/** Reads, converts and validates the arrays of an uploaded data set. */

import type { ArrayReport } from '../../../domain/datasets/report.ts';
import { MIN_CLASSES } from '../../../domain/datasets/representation.ts';
import { type RequestedShape, showImageShape } from '../../../domain/image-shape.ts';
import { MAX_AMBIGUOUS, rangeOf } from '../../../images/pixel-range.ts';
import { toLabels } from '../../../numerics/examples/labels.ts';
import { exampleBytes, type ImageShape, isSameShape } from '../../../numerics/network/image-shape.ts';
import type { Examples } from '../../../numerics/training/engine.ts';
import type { Tensors } from '../../tensor-cache.ts';
import { type CheckedUpload, finishUpload } from '../finish.ts';
import type { OpenedUpload, OpenForm, UploadFields } from '../form.ts';
import { rejectPart } from '../reject-part.ts';
import { splitTest } from '../split-test.ts';
import { type LabelledArrays, matchArrays, type SplitArrays } from './match-roles.ts';
import { findMaximum, isFloat, readImages } from './read-images.ts';
import { countLabels, readLabels } from './read-labels.ts';
import { type ArrayImages, readShape } from './read-shape.ts';
import type { ArrayReader } from './reader.ts';

/**
 * The form of arrays: parts of npy or IDX, or one npz. It is the last form, so it rejects what it does not recognize.
 * Holds out a test set if none was sent.
 */
export const openArrays: OpenForm = async ({ files, archive, fields, maxBytes }) => {
  assertNoImageFields(fields);
  return openLabelled(await matchArrays(files, archive), fields, maxBytes, 'As in the arrays.');
};

function assertNoImageFields(fields: UploadFields): void {
  for (const field of ['fit', 'background', 'invert'] as const) {
    if (fields[field] !== null) rejectPart(field, 'it applies to images in class folders only');
  }
}

/**
 * Opens arrays whose roles are known.
 * @param reason why the images have their shape
 * @throws AtelierError `invalid-dataset-file`
 */
export function openLabelled(
  splits: SplitArrays,
  fields: UploadFields,
  maxBytes: number,
  reason: string,
): OpenedUpload {
  assertNoImageFields(fields);
  assertTestable(splits.test, fields.testFraction);
  const { imageCount, imageShape } = countAll(listSent(splits), fields.imageShape, maxBytes);
  const chosen = { imageShape, reason };
  return {
    images: imageCount,
    chosen,
    extraBytes: 0,
    choose: async () => chosen,
    read: () => readArrays(splits, imageShape, fields),
  };
}

const listSent = ({ train, validation, test }: SplitArrays): LabelledArrays[] =>
  [train, validation, test].filter((arrays) => arrays !== null);

async function readArrays(
  opened: SplitArrays,
  imageShape: ImageShape,
  { classNames: given, testFraction, seed, imageShape: requested }: UploadFields,
): Promise<CheckedUpload> {
  const isUnit = await isUnitScale(listSent(opened).map(({ images }) => images));
  const classCount = given?.length ?? null;
  const read = (arrays: LabelledArrays) => readExamples(arrays, requested, isUnit, classCount);
  const train = await read(opened.train);
  const validation = opened.validation && (await read(opened.validation));
  const test = opened.test && (await read(opened.test));
  // Without test arrays, `assertTestable` requires a fraction.
  const split = test ? { train, test } : splitTest(train, imageShape, testFraction!, seed);
  const tensors = { ...split, validation };
  const all = [train, validation, test].filter((examples) => examples !== null);

  const classNames = given ?? defaultClassNames(tensors, opened.train.labels.part);
  const withType = ({ pixels, labels }: Examples) => ({
    pixels,
    labels: toLabels(classNames.length, labels),
  });
  return finishUpload({
    tensors: {
      train: withType(tensors.train),
      validation: validation && withType(validation),
      test: withType(tensors.test),
    },
    imageShape,
    classNames,
    preprocessing: null,
    part: opened.train.labels.part,
    found: {
      arrays: all.flatMap(({ arrays }) => arrays),
      pixels: {
        range: isUnit ? '0-1' : '0-255',
        rounded: all.reduce((sum, { rounded }) => sum + rounded, 0),
      },
      heldOut: test ? null : { fraction: testFraction!, seed },
    },
  });
}

/** "0", "1", … up to the highest label. @throws AtelierError `invalid-dataset-file` if there is only one class */
function defaultClassNames({ train, validation, test }: Tensors, part: string): string[] {
  let highest = 0;
  for (const examples of [train, validation, test])
    for (const label of examples?.labels ?? []) if (label > highest) highest = label;
  if (highest + 1 < MIN_CLASSES)
    rejectPart(part, `every label is 0; at least ${MIN_CLASSES} classes are required`);
  return Array.from({ length: highest + 1 }, (_, label) => `${label}`);
}

/** Whether there are arrays of floats, and their numbers are 0–1. */
async function isUnitScale(images: readonly ArrayReader[]): Promise<boolean> {
  let [greatest, part] = [Number.NEGATIVE_INFINITY, ''];
  for (const array of images.filter(isFloat)) {
    const ofArray = await findMaximum(array, MAX_AMBIGUOUS);
    if (ofArray > MAX_AMBIGUOUS) return false;
    if (ofArray > greatest) [greatest, part] = [ofArray, array.part];
  }
  const advice = 'clip floats of 0–1 with x.clip(0, 1), or send whole numbers of 0–255 as u1';
  return part !== '' && rangeOf(greatest, (defect) => rejectPart(part, `its ${defect}; ${advice}`)) === '0-1';
}

async function readExamples(
  { images, labels }: LabelledArrays,
  requested: RequestedShape,
  isUnit: boolean,
  classCount: number | null,
): Promise<Examples & { readonly arrays: ArrayReport[]; readonly rounded: number }> {
  // Labels are read first, because they are small and errors are found sooner.
  const labelResult = await readLabels(labels, classCount);
  const imageResult = await readImages(images, readShape(images, requested), isUnit && isFloat(images));
  return {
    pixels: imageResult.pixels,
    labels: labelResult.labels,
    rounded: imageResult.rounded,
    arrays: [describe(images, imageResult), describe(labels, labelResult)],
  };
}

function describe(
  { part, format, dtype, shape }: ArrayReader,
  { minimum, maximum }: Pick<ArrayReport, 'minimum' | 'maximum'>,
): ArrayReport {
  return { part, format, dtype, shape: [...shape], minimum, maximum };
}

function assertTestable(test: LabelledArrays | null, testFraction: number | null): void {
  if (test === null && testFraction === null) {
    const advice =
      'send test_images and test_labels, or testFraction=0.2 to hold out that fraction of each class';
    rejectPart('test_images', `there are no test images; ${advice}`);
  }
  if (test !== null && testFraction !== null) {
    rejectPart('testFraction', `it cannot be combined with ${test.images.part}; omit it`);
  }
}

/** Counts the images, and checks counts and shapes in the headers before the data is read. */
function countAll(sent: readonly LabelledArrays[], requested: RequestedShape, maxBytes: number) {
  let imageCount = 0;
  let first: ArrayImages | undefined;
  for (const { images, labels } of sent) {
    const found = readShape(images, requested);
    const { count, image } = found;
    first ??= found;
    if (!isSameShape(image, first.image)) {
      rejectPart(
        images.part,
        `its images are ${showImageShape(image)}, but those of ${sent[0]!.images.part} are ${showImageShape(first.image)}`,
      );
    }
    const labelled = countLabels(labels);
    if (labelled !== count)
      rejectPart(labels.part, `it has ${labelled} labels for the ${count} images of ${images.part}`);
    imageCount += count;
    const bytes = imageCount * exampleBytes(image);
    if (bytes > maxBytes) rejectPart(images.part, `the images take ${bytes} bytes; the limit is ${maxBytes}`);
  }
  return { imageCount, imageShape: first!.image };
}
