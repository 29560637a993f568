/** Warnings about what an archive holds besides its images: images that are not read, links and the like. */
import type { DatasetReport } from '../../../domain/datasets/report.ts';
import { quote } from '../../../formats/models/file-error.ts';
import { DATASET_FORMAT_NAMES } from '../../../images/encoded.ts';
import { MAX_NAMED, type SkippedEntries } from './archive.ts';
import type { IgnoredFile } from './assign-classes.ts';

/** A file that is an image by its first bytes. */
export interface UnreadImage {
  readonly path: string;
  /** As `describeFile` names it. */
  readonly kind: string;
}

/** @param images in the order of the archive */
export function warnOfUnread(
  images: readonly UnreadImage[],
  skipped: SkippedEntries,
  ignored: readonly IgnoredFile[],
): DatasetReport['warnings'] {
  const warnings: DatasetReport['warnings'] = [];
  if (images.length > 0) {
    const [looks, files] =
      images.length === 1 ? ['looks like an image', 'file'] : ['look like images', 'files'];
    const named = listNamed(
      images.map(({ path, kind }) => `${quote(path)} (${kind})`).slice(0, MAX_NAMED),
      images.length,
    );
    warnings.push({
      code: 'unread-images',
      message:
        `${images.length} ${files} ${looks} but ${images.length === 1 ? 'is' : 'are'} not read: ${named}. ` +
        `Convert them to ${DATASET_FORMAT_NAMES}, and let their names end with the format, such as .png.`,
    });
  }
  const outside = ignored.flatMap(({ path, why }) => {
    const reason = why === 'outside' ? 'has ..' : why === 'absolute' ? 'is absolute' : null;
    return reason ? [`${quote(path)} (its path ${reason})`] : [];
  });
  const count = skipped.count + outside.length;
  if (count > 0) {
    const all = [...skipped.first.map(({ name, kind }) => `${quote(name)} (a ${kind})`), ...outside];
    warnings.push({
      code: 'unread-entries',
      message:
        `${count} ${count === 1 ? 'entry' : 'entries'} of the archive ${count === 1 ? 'is' : 'are'} not read: ` +
        `${listNamed(all.slice(0, MAX_NAMED), count)}. Pack the files themselves, with paths inside one folder.`,
    });
  }
  return warnings;
}

const listNamed = (named: readonly string[], count: number) =>
  named.join(', ') + (count > named.length ? ', …' : '');
