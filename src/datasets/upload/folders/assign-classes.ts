/** Finds the images of an archive by their names, and numbers their classes. */
import { MAX_CLASSES, MIN_CLASSES, type SplitName } from '../../../domain/datasets/representation.ts';
import { classNamesSchema } from '../../../domain/datasets/upload-form.ts';

import { quote, type Reject } from '../../../formats/models/file-error.ts';
import { DATASET_FORMAT_NAMES } from '../../../images/encoded.ts';
import type { LabelledByTable } from './label-table.ts';
import {
  EXPECTED_PATHS,
  type FoundImage,
  type PlacedImage,
  type UnderstoodPaths,
} from './understand-paths.ts';

export interface ClassFolders {
  readonly classNames: readonly string[];
  /** In the order of their splits, and of their paths. */
  readonly images: readonly ClassImage[];
  /** How the paths were understood. */
  readonly layout: string;
  readonly table?: LabelledByTable['table'];
  /** Whether `train/` and `test/` exist. */
  readonly hasTest: boolean;
  readonly ignored: readonly IgnoredFile[];
}

export interface IgnoredFile {
  /** Index of the file in the archive. */
  readonly file: number;
  readonly path: string;
  /** `absolute`: its path is absolute, unlike others. `outside`: it has `..`. `other`: it is not an image by its name. */
  readonly why: 'hidden' | 'absolute' | 'outside' | 'other' | 'unlabelled';
}

export interface ClassImage {
  /** Index of the file in the archive. */
  readonly file: number;
  readonly path: string;
  readonly split: SplitName;
  readonly label: number;
}

const IMAGE = /\.(?:png|jpe?g|webp|gif|tiff?|avif)$/i;
const ARCHIVE = /\.(?:zip|tar|tgz|tar\.gz)$/i;
const MAX_LISTED = 10;
const ABSOLUTE = /^(?:[a-z]:)?[/\\]/i;

export const isImageName = (name: string) => IMAGE.test(name) && !isHidden(splitPath(name));

/** Files that operating systems add: `.DS_Store`, `__MACOSX/cat/._1.png`, `Thumbs.db`. */
const isHidden = (path: readonly string[]) =>
  path.some((segment) => segment.startsWith('.') || segment === '__MACOSX');

/** Some archives from Windows separate folders by "\". Names of old macOS versions are decomposed. */
const splitPath = (name: string) =>
  name
    .normalize('NFC')
    .split(/[/\\]/)
    .filter((segment) => segment !== '' && segment !== '.');

/** The images of an archive by their names, and the other files. */
export function findImages(names: readonly string[], reject: Reject) {
  const ignored: IgnoredFile[] = [];
  const found: FoundImage[] = [];
  // Some programs store absolute paths, but then of all files.
  const isRelative = names.some((name) => isImageName(name) && !ABSOLUTE.test(name));
  for (const [file, name] of names.entries()) {
    const path = splitPath(name);
    const isAbsolute = isRelative && ABSOLUTE.test(name);
    if (isImageName(name) && !isAbsolute) found.push({ file, path });
    else {
      const isOutside = path.includes('..');
      const why = isOutside ? 'outside' : isHidden(path) ? 'hidden' : isAbsolute ? 'absolute' : 'other';
      ignored.push({ file, path: isAbsolute ? name : path.join('/'), why });
    }
  }
  if (found.length === 0) {
    const hidden = ignored.find(({ path, why }) => why === 'hidden' && IMAGE.test(path));
    const except = hidden ? ` besides the hidden ${quote(hidden.path)}` : '';
    const packed = names.find((name) => ARCHIVE.test(name));
    const advice = packed ? `; it holds ${quote(packed)}: send that, or unpack it` : '';
    reject(`it holds no ${DATASET_FORMAT_NAMES} image${except}${advice}; ${EXPECTED_PATHS}`);
  }
  return { found, ignored };
}

/**
 * Numbers the classes.
 * @param given class names in the order of their labels; by default the names in ascending order of code units
 */
export function numberClasses(
  { images: placed, source }: Pick<UnderstoodPaths, 'images' | 'source'>,
  given: readonly string[] | null,
  reject: Reject,
): Pick<ClassFolders, 'classNames' | 'images'> {
  const isBefore = (a: PlacedImage, b: PlacedImage) =>
    a.split === b.split ? a.path < b.path : a.split < b.split;
  const sorted = placed.toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
  const classNames = orderClasses(new Set(sorted.map(({ className }) => className)), given, source, reject);
  const labels = new Map(classNames.map((name, label) => [name, label]));
  const images = sorted.map(({ className, ...image }) => ({ ...image, label: labels.get(className)! }));
  assertTrained(images, classNames, source, reject);
  return { classNames, images };
}

function orderClasses(
  folders: ReadonlySet<string>,
  given: readonly string[] | null,
  source: UnderstoodPaths['source'],
  reject: Reject,
): readonly string[] {
  const listed = (names: readonly string[]) =>
    names.slice(0, MAX_LISTED).map(quote).join(', ') + (names.length > MAX_LISTED ? ', …' : '');
  const sorted = [...folders].sort();
  const [one, several] = source === 'folder' ? ['class folder', 'class folders'] : ['class', 'classes'];
  const count = `it has ${sorted.length} ${sorted.length === 1 ? one : several}: ${listed(sorted)}`;
  if (sorted.length < MIN_CLASSES) reject(`${count}; at least ${MIN_CLASSES} classes are required`);
  if (sorted.length > MAX_CLASSES) reject(`${count}; at most ${MAX_CLASSES} classes are allowed`);
  if (given) {
    const missing = given.filter((name) => !folders.has(name.normalize('NFC')));
    const unnamed = sorted.filter((name) => !given.some((each) => each.normalize('NFC') === name));
    const defects = [
      ...(missing.length > 0 ? [`no ${source} is named ${listed(missing)}`] : []),
      ...(unnamed.length > 0 ? [`classNames lacks the ${source} ${listed(unnamed)}`] : []),
    ];
    if (defects.length > 0) reject(`${defects.join(', and ')}; omit classNames, or name each ${source} once`);
    return given.map((name) => name.normalize('NFC'));
  }
  const invalid = sorted.find(
    (name) => name.includes('\ufffd') || !classNamesSchema.element.safeParse(name).data?.includes(name),
  );
  if (invalid !== undefined) {
    reject(
      `the ${source} name ${quote(invalid)} cannot be a class name: 1 to 100 characters of UTF-8, without control characters and ` +
        'without spaces at its ends',
    );
  }
  return sorted;
}

function assertTrained(
  images: readonly ClassImage[],
  classNames: readonly string[],
  source: UnderstoodPaths['source'],
  reject: Reject,
): void {
  const trained = new Set(images.filter(({ split }) => split === 'train').map(({ label }) => label));
  const missing = classNames.findIndex((_, label) => !trained.has(label));
  if (missing >= 0)
    reject(
      `class ${quote(classNames[missing]!)} has no image ${source === 'folder' ? 'below train/' : 'to train on'}`,
    );
}
