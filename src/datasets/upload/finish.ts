/** The last step of every upload: counts, duplicates and warnings. */

import type { DatasetReport } from '../../domain/datasets/report.ts';
import type { DatasetSummary } from '../../domain/datasets/representation.ts';
import type { Preprocessing } from '../../domain/predictions/preprocessing.ts';
import type { ImageShape } from '../../numerics/network/image-shape.ts';
import { countSplits } from '../catalog.ts';
import type { Tensors } from '../tensor-cache.ts';
import { countConstant, findDuplicates } from './duplicates.ts';
import { rejectPart } from './reject-part.ts';
import { findWarnings } from './warnings.ts';

export interface CheckedUpload
  extends Pick<DatasetSummary, 'imageShape' | 'classNames' | 'splits' | 'preprocessing'> {
  readonly tensors: Tensors;
  readonly report: DatasetReport;
}

/**
 * @param options.part the part that is at fault if a class has no training image
 * @throws AtelierError `invalid-dataset-file`
 */
export function finishUpload(options: {
  tensors: Tensors;
  imageShape: ImageShape;
  classNames: readonly string[];
  preprocessing: Preprocessing | null;
  part: string;
  found: Pick<DatasetReport, 'arrays' | 'pixels' | 'heldOut' | 'imageShape' | 'archive'>;
  /** Come before all others. */
  warnings?: DatasetReport['warnings'];
}): CheckedUpload {
  const { tensors, imageShape, classNames, preprocessing, part, warnings = [] } = options;
  const splits = countSplits(tensors, classNames.length);
  assertTrainable(splits.train.examplesPerClass, classNames, part);
  const found = {
    ...options.found,
    duplicates: findDuplicates(tensors),
    constantImages: {
      train: countConstant(tensors.train),
      ...(tensors.validation && { validation: countConstant(tensors.validation) }),
      test: countConstant(tensors.test),
    },
  } satisfies Omit<DatasetReport, 'warnings'>;
  return {
    imageShape: [...imageShape],
    classNames: [...classNames],
    splits,
    preprocessing,
    tensors,
    report: { ...found, warnings: [...warnings, ...findWarnings(found, splits, classNames)] },
  };
}

function assertTrainable(examples: readonly number[], classNames: readonly string[], part: string): void {
  const missing = examples.indexOf(0);
  if (missing < 0) return;
  const named = `${missing} (${JSON.stringify(classNames[missing])})`;
  const advice = `every label from 0 to ${classNames.length - 1} must occur; number the classes from 0 without gaps`;
  rejectPart(part, `class ${named} has no training image; ${advice}`);
}
