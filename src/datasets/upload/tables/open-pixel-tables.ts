/** The form of pixels as CSV or TSV: a row an image, with a column of labels and one for each value. */
import { SPLITS, type SplitName } from '../../../domain/datasets/representation.ts';
import { MAX_SIDE, MIN_SIDE } from '../../../domain/image-shape.ts';
import { quote } from '../../../formats/models/file-error.ts';
import type { LabelledArrays } from '../arrays/match-roles.ts';
import { openLabelled } from '../arrays/open-arrays.ts';
import type { ArrayReader } from '../arrays/reader.ts';
import { type ByteSource, fileSource, gunzippedSource, readHead } from '../byte-source.ts';
import type { OpenForm, SentFiles, UploadFields } from '../form.ts';
import { rejectPart } from '../reject-part.ts';
import { findSplit, SPLIT_NAMES, splitInName } from '../split-names.ts';
import { type Classes, INDICES, LABELS, orderClasses, SPLIT_COLUMNS } from './columns.ts';
import { findDelimiter } from './find-delimiter.ts';
import { type Cell, cellNumber, cellText, scanCells } from './scan-cells.ts';

/** The first line of a table has at least a label and the pixels of the smallest image, and at most those of the largest. */
const MIN_COLUMNS = MIN_SIDE ** 2 + 1;
const MAX_COLUMNS = 3 * MAX_SIDE ** 2 + 8;
const HEAD_BYTES = 2 ** 18;
const CHUNK_NUMBERS = 2 ** 15;

interface Table {
  readonly part: string;
  readonly source: ByteSource;
  readonly delimiter: number;
  readonly header: readonly string[] | null;
  readonly label: number;
  readonly split: number | null;
  /** For each column, whether it is a pixel. */
  readonly isPixel: Uint8Array;
  /** The split of a file that is named by it. */
  readonly ofName: SplitName | undefined;
}

/** The result of the first pass over a table. */
interface Measured {
  readonly table: Table;
  readonly labels: number[];
  /** The split of each row, as its place in `SPLITS`. */
  readonly splits: number[];
  readonly hasFractions: boolean;
}

export const openPixelTables: OpenForm = async (sent) => {
  const tables = await findTables(sent);
  if (tables === undefined) return undefined;
  const names = new Map<string, number>();
  const measured: Measured[] = [];
  for (const table of tables) measured.push(await measure(table, names, sent.maxBytes));
  const [first] = tables as [Table];
  if (names.size === 1 && first.header === null && sent.fields.labelColumn === null)
    rejectPart(
      first.part,
      `its first column is always ${quote([...names.keys()][0]!)}, so it has no labels; send labelColumn=last if they are in the last one`,
    );
  const classes = orderClasses(names, sent.fields.classNames, first.part);
  const [train, validation, test] = SPLITS.map((_, split) => toArrays(measured, split, classes));
  if (!train) return rejectPart(first.part, 'it has no rows to train on');
  const fields = { ...sent.fields, classNames: classes.names ?? sent.fields.classNames };
  return openLabelled(
    { train, validation: validation ?? null, test: test ?? null },
    fields,
    sent.maxBytes,
    'As in the columns.',
  );
};

/** The tables of an upload; undefined if its files are no tables of pixels. */
async function findTables({ files, archive, fields }: SentFiles): Promise<Table[] | undefined> {
  const names = archive?.files.map(({ name }) => name) ?? [];
  const isTable = (name: string) => /\.(?:csv|tsv)(?:\.gz)?$/i.test(name);
  if (archive && !names.every((name) => isTable(name) || /(?:^|\/)[^/]*\.(?:txt|md)$|__MACOSX/i.test(name)))
    return undefined;
  const sources = archive
    ? names.flatMap((name, file) => (isTable(name) ? [{ name, source: archive.source(file, name) }] : []))
    : files.map(({ part, path, bytes }) => ({ name: part, source: fileSource(part, path, bytes) }));
  const tables: Table[] = [];
  for (const { name, source } of sources) {
    const isGzip = (await readHead(source, 2)).toString('hex') === '1f8b';
    const table = await openTable(name, isGzip ? gunzippedSource(source) : source, fields);
    if (!table) return undefined;
    tables.push(table);
  }
  return tables.length > 0 ? tables : undefined;
}

async function openTable(name: string, source: ByteSource, fields: UploadFields): Promise<Table | undefined> {
  const head = (await readHead(source, HEAD_BYTES)).toString('latin1');
  const end = head.search(/[\r\n]/);
  const line = (end < 0 ? head : head.slice(0, end)).replace(/^\u00ef\u00bb\u00bf/, '');
  if (/[^\t\x20-\x7e\u00a0-\u00ff]/.test(line)) return undefined;
  const delimiter = findDelimiter(line);
  const cells = line.split(delimiter);
  if (cells.length < MIN_COLUMNS) return undefined;
  const { part } = source;
  if (cells.length > MAX_COLUMNS || end < 0)
    rejectPart(
      part,
      `its first line has more than ${Math.min(cells.length - 1, MAX_COLUMNS)} columns; an image has at most ${MAX_COLUMNS}`,
    );
  const texts = cells.map((cell) => cell.replaceAll('"', '').trim());
  const isNumber = (text: string) => text !== '' && Number.isFinite(Number(text));
  const header = texts.filter((text) => !isNumber(text)).length > 2 ? texts : null;
  const lower = header?.map((text) => text.toLowerCase()) ?? [];
  const find = (known: readonly string[]) => lower.findIndex((text) => known.includes(text));
  const place = (field: 'labelColumn' | 'splitColumn', known: readonly string[]): number => {
    const given = fields[field];
    if (given === null) return find(known);
    if (given === 'first' || given === 'last') return given === 'first' ? 0 : texts.length - 1;
    const at = header?.indexOf(given) ?? -1;
    return at >= 0
      ? at
      : rejectPart(
          part,
          `it has no column ${quote(given)}, which ${field} names; its columns are ${texts.slice(0, 5).map(quote).join(', ')}, …`,
        );
  };
  const named = place('labelColumn', LABELS);
  if (header && named < 0)
    rejectPart(
      part,
      `no column is called ${LABELS.slice(0, 4).join(', ')} …; name that of the labels with labelColumn, such as labelColumn=${texts[0]}`,
    );
  const label = Math.max(0, named);
  const split = place('splitColumn', SPLIT_COLUMNS);
  const isPixel = Uint8Array.from(texts, (_, column) =>
    column === label || column === split || (header && INDICES.includes(lower[column]!)) ? 0 : 1,
  );
  const ofName = splitInName(name);
  return {
    part,
    source,
    delimiter: delimiter.charCodeAt(0),
    header,
    label,
    split: split < 0 ? null : split,
    isPixel,
    ofName,
  };
}

/** Reads the labels and counts the rows. @param names receives the texts of the labels, and numbers them */
async function measure(table: Table, names: Map<string, number>, maxBytes: number): Promise<Measured> {
  const { part, source, delimiter, header, label, split, isPixel, ofName } = table;
  const reject = (defect: string): never => rejectPart(part, defect);
  const [labels, splits]: [number[], number[]] = [[], []];
  const usual = SPLITS.indexOf(ofName ?? 'train');
  const most = maxBytes / isPixel.reduce((sum, pixel) => sum + pixel, 0);
  let hasFractions = false;
  let [name, ofRow] = [-1, usual];
  const isHeader = (line: number) => header !== null && line === 1;
  const visitor = {
    cell(cell: Cell) {
      if (isHeader(cell.line)) return;
      if (cell.column === label) name = numberLabel(cell);
      else if (cell.column === split) ofRow = findSplitOf(cell);
      else if (!hasFractions)
        for (let i = 0; i < cell.length; i++) if (cell.bytes[i]! === 46) hasFractions = true;
    },
    row(columns: number, line: number) {
      if (isHeader(line)) return;
      if (columns !== isPixel.length)
        reject(`line ${line} has ${columns} columns, but the first one has ${isPixel.length}`);
      labels.push(name);
      splits.push(ofRow);
      ofRow = usual;
      if (labels.length > most) reject(`its images take more than ${maxBytes} bytes, the limit`);
    },
  };
  function numberLabel(cell: Cell): number {
    const text = cellText(cell);
    if (text === '' || text.startsWith('='))
      reject(
        `line ${cell.line}, column ${nameColumn(table, cell.column)}: ${text === '' ? 'the label is missing' : 'a formula is no label'}`,
      );
    const known = names.get(text) ?? names.size;
    names.set(text, known);
    return known;
  }
  function findSplitOf(cell: Cell): number {
    const text = cellText(cell);
    const found = findSplit(text);
    if (!found)
      reject(
        `line ${cell.line}, column ${nameColumn(table, cell.column)}: ${quote(text)} is no split; allowed: ${SPLIT_NAMES.join(', ')}`,
      );
    return SPLITS.indexOf(found!);
  }
  const scan = scanCells(source, delimiter, visitor, reject);
  while (!(await scan.next()).done);
  return { table, labels, splits, hasFractions };
}

const nameColumn = ({ header }: Table, column: number) => (header ? quote(header[column]!) : `${column + 1}`);

/** The rows of a split as two arrays; undefined if it has none. */
function toArrays(
  measured: readonly Measured[],
  split: number,
  classes: Classes,
): LabelledArrays | undefined {
  const used = measured.filter(({ splits }) => splits.includes(split));
  if (used.length === 0) return undefined;
  const [{ table }] = used as [Measured];
  const values = table.isPixel.reduce((sum, pixel) => sum + pixel, 0);
  const other = used.find(
    ({ table: { isPixel } }) => isPixel.reduce((sum, pixel) => sum + pixel, 0) !== values,
  );
  if (other) rejectPart(other.table.part, `its rows have other columns than those of ${table.part}`);
  const labels = Float64Array.from(
    used.flatMap(({ labels, splits }) =>
      labels.filter((_, row) => splits[row] === split).map((name) => classes.labels[name]!),
    ),
  );
  const common = { part: table.part, format: 'csv', fortranOrder: false } as const;
  const isFraction = used.some(({ hasFractions }) => hasFractions);
  const images: ArrayReader = {
    ...common,
    dtype: isFraction ? 'f8' : 'i8',
    shape: [labels.length, values],
    async *chunks() {
      for (const each of used) yield* readPixels(each, split);
    },
  };
  const read = async function* () {
    yield labels;
  };
  return { images, labels: { ...common, dtype: 'i8', shape: [labels.length], chunks: read } };
}

/** The pixels of the rows of a split, in chunks of whole rows. */
async function* readPixels(
  { table, splits }: Measured,
  split: number,
): AsyncGenerator<Float64Array<ArrayBuffer>> {
  const { part, source, delimiter, header, isPixel } = table;
  const reject = (defect: string): never => rejectPart(part, defect);
  let numbers = new Float64Array(CHUNK_NUMBERS);
  let [filled, row] = [0, header === null ? 0 : -1];
  const visitor = {
    cell(cell: Cell) {
      if (isPixel[cell.column] !== 1 || splits[row] !== split) return;
      const number = cellNumber(cell);
      if (Number.isNaN(number))
        reject(
          `line ${cell.line}, column ${nameColumn(table, cell.column)}: ${quote(cellText(cell))} is no number`,
        );
      if (filled === numbers.length) {
        const larger = new Float64Array(2 * filled);
        larger.set(numbers);
        numbers = larger;
      }
      numbers[filled++] = number;
    },
    row() {
      row++;
    },
  };
  const scan = scanCells(source, delimiter, visitor, reject);
  for (;;) {
    const { done } = await scan.next();
    if (filled > 0) yield numbers.subarray(0, filled);
    filled = 0;
    if (done) return;
  }
}
