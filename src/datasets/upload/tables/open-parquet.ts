/** The form of Parquet: a row an image, as an encoded file, a list of numbers, or a column for each value. */
import { SPLITS, type SplitName } from '../../../domain/datasets/representation.ts';
import { MAX_SIDE, MIN_SIDE } from '../../../domain/image-shape.ts';
import { memorySource, openFile, type RangeSource } from '../../../formats/archives/range-source.ts';
import { quote } from '../../../formats/models/file-error.ts';
import {
  isParquet,
  openParquet,
  type ParquetColumn,
  type ParquetFile,
} from '../../../formats/parquet/open.ts';
import type { LabelledArrays } from '../arrays/match-roles.ts';
import { openLabelled } from '../arrays/open-arrays.ts';
import type { ArrayReader } from '../arrays/reader.ts';
import { fileSource, readHead } from '../byte-source.ts';
import { isImageName, numberClasses } from '../folders/assign-classes.ts';
import { MAX_FILE_BYTES } from '../folders/images.ts';
import { assertTested, openImages } from '../folders/open-folders.ts';
import type { PlacedImage } from '../folders/understand-paths.ts';
import type { OpenForm, SentFiles, UploadFields } from '../form.ts';
import { rejectAs, rejectPart } from '../reject-part.ts';
import { findSplit, SPLIT_NAMES, splitInName } from '../split-names.ts';
import { INDICES, LABELS, orderClasses, SPLIT_COLUMNS } from './columns.ts';

/** Names of the column of images, in lower case; the first one that a table has is taken. */
const IMAGES = ['image', 'images', 'img', 'picture', 'photo', 'pixels', 'pixel_values', 'data', 'x', 'bytes'];
/** Limit of the compressed files of an archive, which are held in memory: Parquet is compressed itself. */
export const MAX_INFLATED_BYTES = 64 * 2 ** 20;
/** Measured: the label, path and class of a row. */
const ROW_BYTES = 400;

interface Table {
  readonly part: string;
  readonly name: string;
  readonly file: ParquetFile;
  /** One column with the images, or all columns of pixels. */
  readonly images: readonly ParquetColumn[];
  /** The number of the class of each row. */
  readonly labels: readonly number[];
  readonly splits: readonly SplitName[];
}

export const openParquetTables: OpenForm = async (sent) => {
  const sources = await findSources(sent);
  if (!sources) return undefined;
  const { fields, maxBytes } = sent;
  // The smallest image has 64 values; a column of lists has all.
  const files = sources.map((source) => ({ ...source, file: openParquet(source.source, maxBytes) }));
  const [first] = files as [(typeof files)[number]];
  const rows = files.reduce((sum, { file }) => sum + file.rows, 0);
  if (rows > maxBytes / MIN_SIDE ** 2)
    rejectPart(first.part, `it has ${rows} rows, which take more than ${maxBytes} bytes, the limit`);
  const numbers = new Map<string, number>();
  const named = namesOf(first.file, labelColumn(first.file, first.part, fields));
  const tables = files.map((each) => readTable(each, fields, named, numbers));
  const texts = [...numbers.keys()];
  const images = tables[0]!.images[0]!;
  const pageBytes = Math.max(
    ...tables.flatMap((table) => table.images.map((column) => table.file.pageBytes(column))),
  );
  if (images.kind === 'bytes') {
    const opened = toImages(tables, texts, fields, named);
    return openImages(opened, fields, maxBytes, pageBytes + ROW_BYTES * rows);
  }
  const classes = orderClasses(
    numbers,
    fields.classNames ?? named?.filter((name) => numbers.has(name)) ?? null,
    first.part,
  );
  const [train, validation, test] = SPLITS.map((split) => toArrays(tables, split, classes.labels));
  if (!train) return rejectPart(first.part, 'it has no rows to train on');
  const opened = openLabelled(
    { train, validation: validation ?? null, test: test ?? null },
    { ...fields, classNames: classes.names ?? fields.classNames },
    maxBytes,
    'As in the columns.',
  );
  return { ...opened, extraBytes: pageBytes + ROW_BYTES * rows };
};

interface Source {
  readonly part: string;
  readonly name: string;
  readonly source: RangeSource;
}

/** The files of Parquet; undefined if it is another form. */
async function findSources({ files, archive }: SentFiles): Promise<Source[] | undefined> {
  if (!archive) {
    const heads = await Promise.all(
      files.map(({ part, path, bytes }) => readHead(fileSource(part, path, bytes), 4)),
    );
    if (!heads.every(isParquet) || files.length === 0) return undefined;
    return files.map(({ part, path, bytes }) => ({
      part,
      name: part,
      source: rangeOf(part, path, 0, bytes),
    }));
  }
  const [{ part, path }] = files as [(typeof files)[number]];
  const found = archive.files.flatMap(({ name, bytes }, index) =>
    /\.parquet$/i.test(name) && !/__MACOSX/.test(name) ? [{ name, bytes, index }] : [],
  );
  if (found.length === 0 || archive.files.some(({ name }) => isImageName(name))) return undefined;
  let inflated = 0;
  const sources: Source[] = [];
  for (const { name, bytes, index } of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const start = archive.start(index);
    if (start !== undefined) {
      sources.push({ part, name, source: rangeOf(name, path, start, bytes) });
      continue;
    }
    inflated += bytes;
    if (inflated > MAX_INFLATED_BYTES)
      rejectPart(
        part,
        `its Parquet files are compressed again; pack more than ${MAX_INFLATED_BYTES} bytes without, as zip -0 or tar cf`,
      );
    for await (const { bytes: content } of archive.read({ whole: new Set([index]) }))
      sources.push({ part, name, source: memorySource(content, rejectAs(name)) });
  }
  return sources;
}

/** A part of a file, which is open only while it is read. */
function rangeOf(part: string, path: string, from: number, bytes: number): RangeSource {
  const reject = rejectAs(part);
  return {
    bytes,
    read(start, end) {
      using file = openFile(path, reject);
      return file.read(from + start, from + Math.min(end, bytes));
    },
    reject,
  };
}

const isList = ({ nesting }: ParquetColumn) => nesting.includes('list');
const topName = ({ path }: ParquetColumn) => path[0]!;
const listNames = (names: Iterable<string>) => {
  const all = [...new Set(names)];
  return all.slice(0, 8).map(quote).join(', ') + (all.length > 8 ? ', …' : '');
};

/** The features that libraries of data sets describe in the metadata. */
function featuresOf(file: ParquetFile): Readonly<Record<string, { names?: unknown; _type?: unknown }>> {
  try {
    return JSON.parse(file.text('huggingface') ?? '{}').info?.features ?? {};
  } catch {
    return {};
  }
}

/** The names of the classes in the order of their labels; null without metadata. */
function namesOf(file: ParquetFile, label: ParquetColumn): string[] | null {
  const features = featuresOf(file);
  const names = Object.hasOwn(features, topName(label)) ? features[topName(label)]!.names : undefined;
  return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : null;
}

function labelColumn(
  file: ParquetFile,
  part: string,
  { labelColumn: given, labels }: UploadFields,
): ParquetColumn {
  const usable = file.columns.filter(
    ({ kind, path, nesting }) =>
      path.length === 1 && nesting.length === 0 && kind !== 'bytes' && kind !== 'other',
  );
  const find = (name: string) => usable.find((column) => topName(column).toLowerCase() === name);
  const described = Object.entries(featuresOf(file)).flatMap(([name, { _type: type }]) =>
    type === 'ClassLabel' ? [name.toLowerCase()] : [],
  );
  const known =
    labels === 'coarse' || labels === 'fine' ? [`${labels}_label`] : [...LABELS, 'fine_label', ...described];
  const found =
    given === null
      ? known.map(find).find((column) => column)
      : usable.find((column) => topName(column) === given);
  const columns = `its columns are ${listNames(file.columns.map(topName))}`;
  return (
    found ??
    rejectPart(
      part,
      given === null
        ? `no column is called ${known.slice(0, 4).join(', ')} …; name that of the classes with labelColumn; ${columns}`
        : `it has no column ${quote(given)} of numbers or texts, which labelColumn names; ${columns}`,
    )
  );
}

/** The column of the images, or the columns of their values. */
function imageColumns(
  file: ParquetFile,
  part: string,
  given: string | null,
  others: readonly (ParquetColumn | undefined)[],
): readonly ParquetColumn[] {
  const isNumber = ({ kind }: ParquetColumn) => kind === 'whole' || kind === 'fraction';
  const candidates = file.columns.filter((column) => {
    const { kind, path } = column;
    // Images of data hubs are a struct of bytes and path.
    if (kind === 'bytes') return !isList(column) && (path.length === 1 || path.at(-1) === 'bytes');
    return isList(column) && isNumber(column) && !others.includes(column);
  });
  const rank = (column: ParquetColumn) =>
    (IMAGES.indexOf(topName(column).toLowerCase()) + IMAGES.length + 1) % (IMAGES.length + 1);
  const columns = `its columns are ${listNames(file.columns.map(topName))}`;
  if (given !== null) {
    const named = candidates.find((column) => topName(column) === given);
    return [
      named ??
        rejectPart(part, `it has no column ${quote(given)} of images, which fileColumn names; ${columns}`),
    ];
  }
  const [best, second] = candidates.toSorted((a, b) => rank(a) - rank(b));
  if (best && second && rank(best) === rank(second))
    rejectPart(
      part,
      `several columns can be the images: ${listNames(candidates.map(topName))}; choose one with fileColumn`,
    );
  if (best) return [best];
  const flat = file.columns.filter(
    (column) =>
      column.path.length === 1 &&
      isNumber(column) &&
      !others.includes(column) &&
      !INDICES.includes(topName(column).toLowerCase()),
  );
  if (flat.length >= MIN_SIDE ** 2 && flat.length <= 3 * MAX_SIDE ** 2) return flat;
  return rejectPart(
    part,
    `no column holds images: expected is one of encoded images (bytes, or a struct with bytes), one of lists of numbers, or one for each value; ${columns}`,
  );
}

function readTable(
  { part, name, file }: Source & { readonly file: ParquetFile },
  fields: UploadFields,
  named: readonly string[] | null,
  numbers: Map<string, number>,
): Table {
  const label = labelColumn(file, part, fields);
  const ofSplits = file.columns.filter(({ path, kind }) => path.length === 1 && kind === 'text');
  const split =
    fields.splitColumn === null
      ? ofSplits.find((column) => SPLIT_COLUMNS.includes(topName(column).toLowerCase()))
      : (ofSplits.find((column) => topName(column) === fields.splitColumn) ??
        rejectPart(part, `it has no column ${quote(fields.splitColumn)} of texts, which splitColumn names`));
  const images = imageColumns(file, part, fields.fileColumn, [label, split]);
  const reject = (row: number, defect: string): never =>
    rejectPart(part, `row ${row} of ${quote(name)} ${defect}`);
  const labels: number[] = [];
  for (const value of rowsOf(file, label)) {
    const text =
      named && typeof value !== 'string' ? named[Number(value)] : value === null ? undefined : String(value);
    if (text === undefined || text === '')
      reject(
        labels.length,
        `has the label ${value}${named ? `, but there are ${named.length} names of classes` : ''}`,
      );
    const known = numbers.get(text!) ?? numbers.size;
    numbers.set(text!, known);
    labels.push(known);
  }
  const splits: SplitName[] = new Array(file.rows).fill(splitInName(name) ?? 'train');
  let row = 0;
  for (const value of split ? rowsOf(file, split) : []) {
    const found = findSplit(String(value));
    if (!found) reject(row, `has the split ${quote(String(value))}; allowed: ${SPLIT_NAMES.join(', ')}`);
    splits[row++] = found!;
  }
  return { part, name, file, images, labels, splits };
}

/** The values of a column without lists; null where there is none. */
function* rowsOf(file: ParquetFile, column: ParquetColumn): Generator<unknown> {
  for (const page of file.values(column)) {
    for (let value of page) {
      // Structs are nested like lists.
      while (Array.isArray(value)) value = value[0];
      yield value ?? null;
    }
  }
}

/** Rows as files of an archive: `train row 000012`, in the order of the tables. */
function toImages(
  tables: readonly Table[],
  texts: readonly string[],
  fields: UploadFields,
  named: readonly string[] | null,
) {
  const [{ part }] = tables as [Table];
  const reject = rejectAs(part);
  const placed: PlacedImage[] = [];
  for (const { name, labels, splits } of tables) {
    for (const [row, label] of labels.entries()) {
      const path = `${name} row ${String(row).padStart(6, '0')}`;
      placed.push({ file: placed.length, path, split: splits[row]!, className: texts[label]! });
    }
  }
  const isNumbered = texts.every((text) => /^\d+$/.test(text));
  const order =
    named?.filter((name) => texts.includes(name)) ??
    (isNumbered ? texts.toSorted((a, b) => Number(a) - Number(b)) : null);
  const numbered = numberClasses({ images: placed, source: 'class' }, fields.classNames ?? order, reject);
  const hasTest = numbered.images.some(({ split }) => split === 'test');
  assertTested(part, { hasTest }, fields, 'send the files as train and test');
  const column = tables[0]!.images[0]!.path.join('.');
  return {
    part,
    folders: { ...numbered, hasTest, layout: `images in the column ${column}`, ignored: [] },
    archive: {
      skipped: { count: 0, first: [] },
      async *read({ whole }: { readonly whole: Pick<ReadonlySet<number>, 'has'> }) {
        let index = -1;
        for (const { file, images } of tables) {
          for (const value of rowsOf(file, images[0]!)) {
            if (!whole.has(++index)) continue;
            const bytes = value instanceof Uint8Array ? value : new Uint8Array(0);
            if (bytes.length > MAX_FILE_BYTES)
              reject(`${placed[index]!.path} takes more than ${MAX_FILE_BYTES} bytes, the limit of an image`);
            yield { index, bytes };
          }
        }
      },
    },
  };
}

/** The rows of a split as two arrays; undefined if it has none. */
function toArrays(
  tables: readonly Table[],
  split: SplitName,
  classes: Float64Array,
): LabelledArrays | undefined {
  const used = tables.filter(({ splits }) => splits.includes(split));
  const [first] = used;
  if (!first) return undefined;
  const other = used.find(({ images }) => images.length !== first.images.length);
  if (other)
    rejectPart(
      other.part,
      `${quote(other.name)} has ${other.images.length} columns of pixels, but ${quote(first.name)} has ${first.images.length}`,
    );
  const labels = Float64Array.from(
    used.flatMap((table) =>
      table.labels.filter((_, row) => table.splits[row] === split).map((label) => classes[label]!),
    ),
  );
  const isFraction = used.some(({ images }) => images.some(({ kind }) => kind === 'fraction'));
  const common = { part: first.part, format: 'parquet' } as const;
  const isNested = isList(first.images[0]!);
  const image = isNested ? shapeOf(first) : [first.images.length];
  // A column for each value is read one after the other: this is the order of Fortran.
  const images: ArrayReader = {
    ...common,
    fortranOrder: !isNested,
    dtype: isFraction ? 'f8' : 'i8',
    shape: [labels.length, ...image],
    async *chunks() {
      for (let value = 0; value < first.images.length; value++) {
        for (const table of used)
          yield* readNumbers(table, table.images[value]!, split, isNested ? image : []);
      }
    },
  };
  const read = async function* () {
    yield labels;
  };
  return {
    images,
    labels: { ...common, fortranOrder: false, dtype: 'i8', shape: [labels.length], chunks: read },
  };
}

/** The lengths of the lists of the first row. */
function shapeOf({ file, images: [column] }: Table): number[] {
  for (const page of file.values(column!)) {
    if (page.length === 0) continue;
    let value = page[0];
    return column!.nesting.flatMap((level) => {
      const { length } = value as unknown[];
      value = (value as unknown[])[0] ?? [];
      return level === 'list' ? [length] : [];
    });
  }
  return [];
}

/** The numbers of a column in the rows of a split, page by page. @param shape of each row */
function* readNumbers(
  { part, name, file, splits }: Table,
  column: ParquetColumn,
  split: SplitName,
  shape: readonly number[],
): Generator<Float64Array<ArrayBuffer>> {
  const values = shape.reduce((product, size) => product * size, 1);
  let row = 0;
  for (const page of file.values(column)) {
    const numbers = new Float64Array(page.length * values);
    let filled = 0;
    for (const value of page) {
      if (splits[row++] !== split) continue;
      const list: readonly unknown[] = Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value];
      const where = `row ${row - 1} of ${quote(name)}, column ${quote(column.path[0]!)},`;
      if (list.length !== values)
        rejectPart(part, `${where} has ${list.length} numbers, but the first row has ${values}`);
      for (const number of list) {
        if (typeof number !== 'number' && typeof number !== 'bigint')
          rejectPart(part, `${where} has a missing number`);
        numbers[filled++] = Number(number);
      }
    }
    yield numbers.subarray(0, filled);
  }
}
