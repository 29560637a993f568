/** Assigns the files of an archive to splits and classes by their paths: `class/image.png`, also below `train/` and `test/`. */
import { MAX_CLASSES, MIN_CLASSES, SPLITS, type SplitName } from '../../../domain/datasets/representation.ts';
import { classNamesSchema } from '../../../domain/datasets/upload-form.ts';
import type { Reject } from '../../../formats/archives/zip-entries.ts';
import { quote } from '../../../formats/models/file-error.ts';
import { DATASET_FORMAT_NAMES } from '../../../images/encoded.ts';

export interface ClassFolders {
  readonly classNames: readonly string[];
  /** In the order of their paths. */
  readonly images: readonly ClassImage[];
  /** Whether `train/` and `test/` exist. */
  readonly hasTest: boolean;
  readonly ignored: readonly IgnoredFile[];
}

export interface IgnoredFile {
  /** Index of the file in the archive. */
  readonly file: number;
  readonly path: string;
  /** `absolute`: its path is absolute, unlike others. `outside`: it has `..`. `other`: it is not an image by its name. */
  readonly why: 'hidden' | 'absolute' | 'outside' | 'other';
}

export interface ClassImage {
  /** Index of the file in the archive. */
  readonly file: number;
  readonly path: string;
  readonly split: SplitName;
  readonly label: number;
}

const IMAGE = /\.(?:png|jpe?g|webp|gif|tiff?|avif)$/i;
const EXPECTED = 'expected are paths such as cat/1.png, or train/cat/1.png and test/cat/2.png';
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

/**
 * @param names of the files in the archive
 * @param given class names in the order of their labels; by default the folder names in ascending order of code units
 */
export function assignClasses(
  names: readonly string[],
  given: readonly string[] | null,
  reject: Reject,
): ClassFolders {
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
    reject(`it holds no ${DATASET_FORMAT_NAMES} image${except}; ${EXPECTED}`);
  }
  const paths = stripTop(found);
  const isSplit = paths.some(({ path }) => path.length === 3 && isSplitName(path[0]!));
  const depth = isSplit ? 3 : 2;
  const misplaced = paths.find(({ path }) => path.length !== depth || (isSplit && !isSplitName(path[0]!)));
  if (misplaced) reject(`the image ${quote(names[misplaced.file]!)} is not in a class folder; ${EXPECTED}`);
  const placed = paths.map(({ file, path }) => ({
    file,
    path: path.join('/'),
    split: isSplit ? (path[0] as SplitName) : ('train' as const),
    className: path.at(-2)!,
  }));
  placed.sort((a, b) => (a.path < b.path ? -1 : 1));
  const classNames = orderClasses(new Set(placed.map(({ className }) => className)), given, reject);
  const labels = new Map(classNames.map((name, label) => [name, label]));
  const images = placed.map(({ className, ...image }) => ({ ...image, label: labels.get(className)! }));
  assertTrained(images, classNames, reject);
  return { classNames, images, hasTest: images.some(({ split }) => split === 'test'), ignored };
}

const isSplitName = (name: string) => (SPLITS as readonly string[]).includes(name);

interface FoundImage {
  readonly file: number;
  readonly path: readonly string[];
}

/** Removes the folders that hold everything else, as in `my/photos/cat/1.png`; `train` and `test` stay. */
function stripTop(found: readonly FoundImage[]): readonly FoundImage[] {
  const first = found[0]!.path;
  const isTop = (segment: string, depth: number) =>
    !isSplitName(segment) && found.every(({ path }) => path[depth] === segment && path.length > depth + 2);
  const end = first.findIndex((segment, depth) => !isTop(segment, depth));
  return found.map(({ file, path }) => ({ file, path: path.slice(end) }));
}

function orderClasses(
  folders: ReadonlySet<string>,
  given: readonly string[] | null,
  reject: Reject,
): readonly string[] {
  const listed = (names: readonly string[]) =>
    names.slice(0, MAX_LISTED).map(quote).join(', ') + (names.length > MAX_LISTED ? ', …' : '');
  const sorted = [...folders].sort();
  const count = `it has ${sorted.length} class ${sorted.length === 1 ? 'folder' : 'folders'}: ${listed(sorted)}`;
  if (sorted.length < MIN_CLASSES) reject(`${count}; at least ${MIN_CLASSES} classes are required`);
  if (sorted.length > MAX_CLASSES) reject(`${count}; at most ${MAX_CLASSES} classes are allowed`);
  if (given) {
    const missing = given.filter((name) => !folders.has(name.normalize('NFC')));
    const unnamed = sorted.filter((name) => !given.some((each) => each.normalize('NFC') === name));
    const defects = [
      ...(missing.length > 0 ? [`no folder is named ${listed(missing)}`] : []),
      ...(unnamed.length > 0 ? [`classNames lacks the folder ${listed(unnamed)}`] : []),
    ];
    if (defects.length > 0) reject(`${defects.join(', and ')}; omit classNames, or name each folder once`);
    return given.map((name) => name.normalize('NFC'));
  }
  const invalid = sorted.find(
    (name) => name.includes('\ufffd') || !classNamesSchema.element.safeParse(name).data?.includes(name),
  );
  if (invalid !== undefined) {
    reject(
      `the folder name ${quote(invalid)} cannot be a class name: 1 to 100 characters of UTF-8, without control characters and ` +
        'without spaces at its ends',
    );
  }
  return sorted;
}

function assertTrained(images: readonly ClassImage[], classNames: readonly string[], reject: Reject): void {
  const trained = new Set(images.filter(({ split }) => split === 'train').map(({ label }) => label));
  const missing = classNames.findIndex((_, label) => !trained.has(label));
  if (missing >= 0) reject(`class ${quote(classNames[missing]!)} has no image below train/`);
}
