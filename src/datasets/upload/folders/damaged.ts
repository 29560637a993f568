/** Images of an archive that cannot be decoded: they reject the upload, or are left out. */
import { type DatasetReport, MAX_LISTED_FILES } from '../../../domain/datasets/report.ts';
import { quote } from '../../../formats/models/file-error.ts';
import { rejectPart } from '../reject-part.ts';
import type { ClassFolders, ClassImage } from './assign-classes.ts';

export type DamagedReport = NonNullable<NonNullable<DatasetReport['archive']>['damaged']>;
type Damaged = ReadonlyMap<number, string>;

/** @param damaged what is wrong with the images of these rows */
export function listDamaged(images: readonly ClassImage[], damaged: Damaged): DamagedReport {
  const rows = [...damaged.keys()].sort((a, b) => a - b).slice(0, MAX_LISTED_FILES);
  return {
    images: damaged.size,
    first: rows.map((row) => ({ path: images[row]!.path, reason: damaged.get(row)! })),
  };
}

/**
 * The rows that are not damaged.
 * @throws AtelierError `invalid-dataset-file` unless they are to be left out, or if these are more than half of a class
 */
export function leaveOutDamaged(
  part: string,
  { images, classNames }: ClassFolders,
  damaged: Damaged,
  skips: boolean,
): number[] {
  const { first } = listDamaged(images, damaged);
  const count = damaged.size === 1 ? 'an image' : `${damaged.size.toLocaleString('en')} images`;
  const named = first.map(({ path, reason }) => `${quote(path)} (${reason})`).join(', ');
  const defect = `${count} cannot be used: ${named}${damaged.size > first.length ? ', …' : ''}`;
  if (!skips)
    rejectPart(part, `${defect}; send damaged=skip to leave ${damaged.size === 1 ? 'it' : 'them'} out`);
  const [all, lost] = [new Map<number, number>(), new Map<number, number>()];
  for (const [row, { label }] of images.entries()) {
    all.set(label, (all.get(label) ?? 0) + 1);
    if (damaged.has(row)) lost.set(label, (lost.get(label) ?? 0) + 1);
  }
  for (const [label, number] of lost) {
    if (2 * number > all.get(label)!)
      rejectPart(
        part,
        `${defect}; these are more than half of the class ${quote(classNames[label]!)}, so they are not left out`,
      );
  }
  return images
    .keys()
    .filter((row) => !damaged.has(row))
    .toArray();
}
