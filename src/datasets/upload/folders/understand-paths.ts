/** Understands the paths of images: which folder names the split, and which folder, or the file itself, the class. */
import type { SplitName } from '../../../domain/datasets/representation.ts';
import { quote, type Reject } from '../../../formats/models/file-error.ts';
import { findSplit } from '../split-names.ts';

/** An image by its path in the archive, as folders and the name of the file. */
export interface FoundImage {
  /** Index of the file in the archive. */
  readonly file: number;
  readonly path: readonly string[];
}

export interface PlacedImage {
  readonly file: number;
  /** Without the folders that hold everything. */
  readonly path: string;
  readonly split: SplitName;
  readonly className: string;
}

export interface UnderstoodPaths {
  /** The origin of the classes, for messages. */
  readonly source: 'folder' | 'class';
  readonly images: readonly PlacedImage[];
  /** For the report, such as "split/class/file, with the splits train and val". */
  readonly layout: string;
}

export const EXPECTED_PATHS = 'expected are paths such as cat/1.png, or train/cat/1.png and test/cat/2.png';
/** `dog_0.png`, `cat.12.jpg`, `cat (3).png`: a class, and a number after a separator. */
const NUMBERED = /^(.+?)[_\-. ]+\(?\d+\)?\.[a-z]+$/i;
/** `dog0.png` */
const NUMBERED_WITHOUT_SEPARATOR = /^(.*[^\d(])\(?\d+\)?\.[a-z]+$/i;
/** Classes that a suggestion names. */
const MAX_SHOWN = 5;

/** The class in the name of a file; undefined if it does not end with a number after a text. */
const classInName = (name: string): string | undefined =>
  (NUMBERED.exec(name) ?? NUMBERED_WITHOUT_SEPARATOR.exec(name))?.[1];

/**
 * Understands `split/class/file`, `class/split/file` and `class/file`, with folders that are the same for all images between
 * them.
 * @returns an image that is not in a class folder if there is one
 */
export function understandFolders(
  found: readonly FoundImage[],
): UnderstoodPaths | { readonly misplaced: FoundImage } {
  const { top, paths } = stripTop(found);
  const depth = mostCommon(paths.map(({ path }) => path.length));
  const levels = Array.from({ length: depth - 1 }, (_, level) => ({
    level,
    folders: new Set(paths.map(({ path }) => path[level] ?? '')),
  }));
  const isSplit = ({ folders }: (typeof levels)[number]) => folders.values().every((name) => findSplit(name));
  const split = levels.length > 1 ? [levels[0]!, levels.at(-1)!].find(isSplit) : undefined;
  const others = levels.filter((each) => each !== split);
  const varied = others.filter(({ folders }) => folders.size > 1);
  const classes = varied[0] ?? others.at(-1);
  const misplaced =
    paths.find(({ path }) => path.length !== depth) ??
    (varied.length > 1 ? paths.find(({ path }) => !findSplit(path[0]!)) : undefined) ??
    (classes === undefined || varied.length > 1 || (split === undefined && isSplit(classes))
      ? paths[0]
      : undefined);
  if (misplaced || !classes) return { misplaced: misplaced! };
  const roles = levels.map((each) =>
    each === classes ? 'class' : each === split ? 'split' : [...each.folders][0]!,
  );
  return {
    source: 'folder',
    images: paths.map(({ file, path }) => ({
      file,
      path: path.join('/'),
      split: (split && findSplit(path[split.level]!)) ?? 'train',
      className: path[classes.level]!,
    })),
    layout: describe([...top, ...roles, 'file'], split?.folders),
  };
}

/** Understands `dog_0.png`, also below folders of splits. Other folders are not read. */
export function understandNames(
  found: readonly FoundImage[],
  names: readonly string[],
  reject: Reject,
): UnderstoodPaths {
  const { top, paths } = stripTop(found);
  const hasSplits = paths.every(({ path }) => path.length > 1 && findSplit(path[0]!));
  const images = paths.map(({ file, path }): PlacedImage => {
    const className =
      classInName(path.at(-1)!) ??
      reject(
        `the name of the image ${quote(names[file]!)} holds no class; labels=filename expects names such as dog_0.png or cat.12.jpg`,
      );
    return { file, path: path.join('/'), split: hasSplits ? findSplit(path[0]!)! : 'train', className };
  });
  const splits = hasSplits ? new Set(paths.map(({ path }) => path[0]!)) : undefined;
  return {
    source: 'class',
    images,
    layout: describe([...top, ...(splits ? ['split'] : []), 'class_number'], splits),
  };
}

function describe(template: readonly string[], splits: ReadonlySet<string> | undefined): string {
  if (!splits) return template.join('/');
  const named = [...splits].map((name) => {
    const split = findSplit(name)!;
    return name === split ? name : `${name} (${split})`;
  });
  return `${template.join('/')}, with the ${named.length === 1 ? 'split' : 'splits'} ${named.sort().join(', ')}`;
}

/** Removes the folders that hold everything else, as in `my/photos/cat/1.png`; folders of splits stay. */
export function stripTop(found: readonly FoundImage[]) {
  const first = found[0]!.path;
  const isTop = (segment: string, depth: number) =>
    !findSplit(segment) && found.every(({ path }) => path[depth] === segment && path.length > depth + 2);
  const end = first.findIndex((segment, depth) => !isTop(segment, depth));
  return {
    top: first.slice(0, end),
    paths: found.map(({ file, path }): FoundImage => ({ file, path: path.slice(end) })),
  };
}

/** Advice to read the classes from the names of the files, if these hold several. */
export function suggestNames(found: readonly FoundImage[]): string {
  const classes = new Set(found.map(({ path }) => classInName(path.at(-1)!)));
  if (classes.size < 2 || classes.has(undefined) || 2 * classes.size > found.length) return '';
  const shown = [...classes].sort().slice(0, MAX_SHOWN).join(', ');
  return `; if the names of the files hold the classes (${shown}${classes.size > MAX_SHOWN ? ', …' : ''}), send labels=filename`;
}

function mostCommon(numbers: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}
