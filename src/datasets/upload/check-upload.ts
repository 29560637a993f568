/** An uploaded data set: read, converted, and checked in full. */
import { type DatasetSummary, IMAGE_PIXELS } from '../../domain/dataset.ts';
import type { ArrayReport, DatasetReport } from '../../domain/dataset-report.ts';
import type { DatasetFields } from '../../domain/dataset-upload.ts';
import type { Examples } from '../../numerics/engine.ts';
import { countExamples } from '../catalog.ts';
import type { Tensors } from '../tensor-cache.ts';
import type { ArrayReader } from './array-reader.ts';
import { defaultClassNames } from './class-names.ts';
import { countConstant, findDuplicates } from './duplicates.ts';
import { type LabelledArrays, matchArrays, type UploadedFile } from './match-arrays.ts';
import { countImages, isFloat, maxOf, readImages } from './read-images.ts';
import { countLabels, readLabels } from './read-labels.ts';
import { rejectPart } from './reject-part.ts';
import { splitTest } from './split-test.ts';
import { findWarnings } from './warnings.ts';

export interface CheckedUpload extends Pick<DatasetSummary, 'classNames' | 'splits'> {
  readonly tensors: Tensors;
  readonly report: DatasetReport;
}

/**
 * @param maxBytes the most that the arrays may have, both unpacked from an npz and as a byte a pixel
 * @throws AtelierError `invalid-dataset-file`, naming the part and the place
 */
export async function checkUpload(
  files: readonly UploadedFile[],
  { classNames: given, testFraction, seed }: Omit<DatasetFields, 'name'>,
  maxBytes: number,
): Promise<CheckedUpload> {
  const arrays = await matchArrays(files, maxBytes);
  assertTestable(arrays.test, testFraction);
  const sent = arrays.test ? [arrays.train, arrays.test] : [arrays.train];
  assertCounts(sent, maxBytes);

  const unit = await isUnitScale(sent.map(({ images }) => images));
  const classes = given?.length ?? null;
  const train = await readExamples(arrays.train, unit, classes);
  const test = arrays.test && (await readExamples(arrays.test, unit, classes));
  const tensors = test ? { train, test } : splitTest(train, testFraction!, seed);

  const classNames = given ?? defaultClassNames(tensors, arrays.train.labels.part);
  const splits = {
    train: countExamples(tensors.train.labels, classNames.length),
    test: countExamples(tensors.test.labels, classNames.length),
  };
  assertTrainable(splits.train.examplesPerClass, classNames, arrays.train.labels.part);
  const found = {
    arrays: [...train.arrays, ...(test?.arrays ?? [])],
    pixels: { range: unit ? '0-1' : '0-255', rounded: train.rounded + (test?.rounded ?? 0) },
    heldOut: test ? null : { fraction: testFraction!, seed },
    duplicates: findDuplicates(tensors),
    constantImages: { train: countConstant(tensors.train), test: countConstant(tensors.test) },
  } satisfies Omit<DatasetReport, 'warnings'>;
  return {
    classNames,
    splits,
    tensors,
    report: { ...found, warnings: findWarnings(found, splits, classNames) },
  };
}

/** No picture of 0–255 is so dark; normalising and resizing 0–1 leave numbers up to here. */
const BYTE_SCALE_THRESHOLD = 2;

/** Floats are 0–1 where none of any array is greater than 1. */
async function isUnitScale(images: readonly ArrayReader[]): Promise<boolean> {
  let [greatest, part] = [Number.NEGATIVE_INFINITY, ''];
  for (const array of images.filter(isFloat)) {
    const ofArray = await maxOf(array, BYTE_SCALE_THRESHOLD);
    if (ofArray > BYTE_SCALE_THRESHOLD) return false;
    if (ofArray > greatest) [greatest, part] = [ofArray, array.part];
  }
  if (greatest <= 1) return part !== '';
  const advice = 'clip floats of 0–1 to 1, as in x.clip(0, 1), or send whole numbers of 0–255 as u1';
  return rejectPart(
    part,
    `no float is greater than ${greatest}: as 0–1 that is too much, as 0–255 all is black; ${advice}`,
  );
}

async function readExamples(
  { images, labels }: LabelledArrays,
  unit: boolean,
  classes: number | null,
): Promise<Examples & { readonly arrays: ArrayReport[]; readonly rounded: number }> {
  // The smaller first: what is wrong is told sooner.
  const readOfLabels = await readLabels(labels, classes);
  const readOfImages = await readImages(images, unit && isFloat(images));
  return {
    pixels: readOfImages.pixels,
    labels: readOfLabels.labels,
    rounded: readOfImages.rounded,
    arrays: [describe(images, readOfImages), describe(labels, readOfLabels)],
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
      'send test_images and test_labels, or testFraction=0.2 to hold out that share of every class';
    rejectPart('test_images', `there is nothing to test on; ${advice}`);
  }
  if (test !== null && testFraction !== null) {
    rejectPart(
      'testFraction',
      `${test.images.part} are there already, so that nothing is held out; leave it out`,
    );
  }
}

/** By what the headers say, before anything is read. */
function assertCounts(sent: readonly LabelledArrays[], maxBytes: number): void {
  let total = 0;
  for (const { images, labels } of sent) {
    const count = countImages(images);
    const labelled = countLabels(labels);
    if (labelled !== count)
      rejectPart(labels.part, `it has ${labelled} labels for the ${count} images of ${images.part}`);
    total += count * (IMAGE_PIXELS + 1);
    if (total > maxBytes)
      rejectPart(images.part, `the images take ${total} bytes, and ${maxBytes} are the most`);
  }
}

function assertTrainable(examples: readonly number[], classNames: readonly string[], part: string): void {
  const missing = examples.indexOf(0);
  if (missing < 0) return;
  const named = `${missing} (${JSON.stringify(classNames[missing])})`;
  const advice = `every label from 0 to ${classNames.length - 1} must be there; number the classes without gaps, from 0`;
  rejectPart(part, `class ${named} has no training image; ${advice}`);
}
