/** Names of the columns of tables of pixels, and the order of their classes. */
import { quote } from '../../../formats/models/file-error.ts';
import { rejectPart } from '../reject-part.ts';

/** Names of columns in lower case. */
export const LABELS = ['label', 'labels', 'class', 'category', 'target', 'y'];
export const SPLIT_COLUMNS = ['split', 'set', 'subset', 'usage'];
/** Columns that number the rows: pandas writes its index without a name. */
export const INDICES = ['', 'id', 'index', 'unnamed: 0', '__index_level_0__'];

export interface Classes {
  /** null if the labels are numbers. */
  readonly names: string[] | null;
  /** The label of each text, by its number. */
  readonly labels: Float64Array;
}

/** Whole numbers are labels; other texts are classes, in ascending order of code units or in that of the form. */
export function orderClasses(
  numbers: ReadonlyMap<string, number>,
  given: string[] | null,
  part: string,
): Classes {
  const texts = [...numbers.keys()];
  if (texts.every((text) => /^\d+(?:\.0*)?$/.test(text)))
    return { names: null, labels: Float64Array.from(texts, Number) };
  const names = given ?? texts.toSorted();
  const unknown = texts.find((text) => !names.includes(text));
  if (unknown !== undefined) rejectPart(part, `it has the class ${quote(unknown)}, which classNames lacks`);
  return { names, labels: Float64Array.from(texts, (text) => names.indexOf(text)) };
}
