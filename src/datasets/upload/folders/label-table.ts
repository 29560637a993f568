/** Tables of labels beside images: CSV, TSV and the exports of Label Studio, whose rows name files of the archive. */
import { pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { type DatasetReport, MAX_LISTED_FILES } from '../../../domain/datasets/report.ts';
import type { SplitName } from '../../../domain/datasets/representation.ts';
import type { DatasetFields } from '../../../domain/datasets/upload-form.ts';
import { quote } from '../../../formats/models/file-error.ts';
import { type ByteSource, readHead } from '../byte-source.ts';
import { rejectPart } from '../reject-part.ts';
import { findSplit, SPLIT_NAMES, splitInName } from '../split-names.ts';
import { findDelimiter } from '../tables/find-delimiter.ts';
import type { FileArchive } from './archive.ts';
import { type FoundImage, type PlacedImage, stripTop } from './understand-paths.ts';

export type TableFields = Pick<DatasetFields, 'fileColumn' | 'labelColumn' | 'splitColumn'>;
type TableReport = NonNullable<NonNullable<DatasetReport['archive']>['table']>;

/** The images that rows label. */
export interface LabelledByTable {
  readonly images: readonly PlacedImage[];
  readonly layout: string;
  readonly table: TableReport;
  /** Indices in the archive of the images that no row names. */
  readonly unlabelled: ReadonlySet<number>;
}

/** Names of columns, in lower case and without separators; the first one that a table has is taken. */
const COLUMNS = {
  file: 'file,filename,filepath,filepaths,path,paths,image,images,imagefile,imagename,imagepath,img,imageid,id,name',
  label: 'label,labels,class,classname,category,target,choice,classes,classid',
  split: 'split,dataset,set,subset,partition',
} as const;
const MAX_COLUMNS = 1000;
const MAX_ROW_BYTES = 2 ** 20;
/** Limit of an export as JSON, which is held in memory. */
const MAX_JSON_BYTES = 64 * 2 ** 20;
const MAX_SHOWN = 8;

interface Row {
  /** For messages: the line, or the number of the task. */
  readonly place: string;
  readonly file: string;
  readonly label: string;
  readonly split: string | undefined;
}

export const isTableName = (name: string) => /\.(?:csv|tsv|json)$/i.test(name);

/**
 * Labels images by the tables of an archive. Tables without a column of files and one of labels are not read.
 * @param tables indices of files in the archive
 * @returns the columns of a table as text if none has both columns
 * @throws AtelierError `invalid-dataset-file`, naming the table and the line
 */
export async function labelByTables(
  part: string,
  archive: FileArchive,
  tables: readonly number[],
  found: readonly FoundImage[],
  fields: TableFields,
): Promise<LabelledByTable | string> {
  const images = createLookup(found);
  const placed = new Map<number, PlacedImage & { readonly place: string }>();
  const missing: string[] = [];
  const used: string[] = [];
  let [rows, withoutFile, columns] = [0, 0, ''];
  for (const table of tables) {
    const { name } = archive.files[table]!;
    const reject = (defect: string): never => rejectPart(part, `the table ${quote(name)} ${defect}`);
    const ofName = splitInName(name);
    const source = archive.source(table);
    const read = /\.json$/i.test(name) ? readExport(source, reject) : readCsv(source, name, fields, reject);
    for await (const row of read) {
      if (typeof row === 'string') {
        columns = `the table ${quote(name)} has the columns ${row}`;
        break;
      }
      if (used.at(-1) !== name) used.push(name);
      rows++;
      if (row.label === '') continue;
      const { place, label } = row;
      if (label.startsWith('=')) reject(`has a formula at ${place}; write the class itself`);
      const named = row.split ? findSplit(row.split) : ofName;
      const image = images(row.file, named);
      if (image === 'several')
        reject(
          `names ${quote(row.file)} at ${place}, but several files have this name; write their folders too`,
        );
      if (image === undefined || typeof image === 'string') {
        if (withoutFile++ < MAX_LISTED_FILES) missing.push(row.file);
        continue;
      }
      const split = row.split ? named : (named ?? image.split);
      if (split === undefined)
        reject(`has the split ${quote(row.split!)} at ${place}; allowed: ${SPLIT_NAMES.join(', ')}`);
      const known = placed.get(image.file);
      if (known && known.className !== label)
        reject(
          `gives ${quote(row.file)} the class ${quote(label)} at ${place}, and ${quote(known.className)} at ${known.place}; one class an image is learnt`,
        );
      placed.set(image.file, { file: image.file, path: image.path, split: split!, className: label, place });
    }
  }
  if (used.length === 0) return columns;
  if (placed.size === 0)
    rejectPart(
      part,
      `the table ${quote(used[0]!)} names no image of the archive; its first row is for ${quote(missing[0] ?? '')}`,
    );
  const unlabelled = found.filter(({ file }) => !placed.has(file));
  return {
    images: [...placed.values()].map(({ place: _, ...image }) => image),
    layout: `classes from ${used.map(quote).join(', ')}`,
    unlabelled: new Set(unlabelled.map(({ file }) => file)),
    table: {
      files: used,
      rows,
      withoutFile: { rows: withoutFile, first: missing },
      withoutRow: {
        files: unlabelled.length,
        first: unlabelled.slice(0, MAX_LISTED_FILES).map(({ path }) => path.join('/')),
      },
    },
  };
}

/**
 * Finds images by their path or the end of it, also without the ending; folders of the machine of the writer may precede.
 * If several images have the same name, a row with a split names the image in the folder of that split.
 */
function createLookup(found: readonly FoundImage[]) {
  const { paths } = stripTop(found);
  const byName = new Map<string, number>();
  const add = (key: string, image: number) => {
    const known = byName.get(key);
    byName.set(key, known === undefined || known === image ? image : -1);
  };
  const withoutEnding = (name: string) => name.replace(/\.[^./]+$/, '');
  for (const [image, { path }] of paths.entries()) {
    const keys = [path.join('/'), path.at(-1)!];
    const split = splitOfFolder(path);
    if (split) keys.push(inSplit(split, path.at(-1)!));
    for (const key of new Set([...keys, ...keys.map(withoutEnding)])) add(key, image);
  }
  return (name: string, split: SplitName | undefined) => {
    const segments = name
      .normalize('NFC')
      .split(/[/\\]/)
      .filter((segment) => segment !== '' && segment !== '.');
    // Label Studio puts eight digits before the names of uploaded files.
    const original = segments.at(-1)?.replace(/^[0-9a-f]{8}-/, '') ?? '';
    const candidates = [...segments.keys()].map((start) => segments.slice(start).join('/'));
    const image = [...candidates, original].flatMap(
      (key) => (split && byName.get(inSplit(split, key))) ?? byName.get(key) ?? [],
    )[0];
    if (image === undefined) return undefined;
    if (image < 0) return 'several';
    const { file, path } = paths[image]!;
    return {
      file,
      path: path.join('/'),
      split: splitOfFolder(path) ?? ('train' as const),
    };
  };
}

const splitOfFolder = (path: readonly string[]) => (path.length > 1 ? findSplit(path[0]!) : undefined);

const inSplit = (split: SplitName, name: string) => `${split}\0${name}`;

/** The rows of a table, or its columns as text if it lacks one that is needed. */
async function* readCsv(
  source: ByteSource,
  name: string,
  fields: TableFields,
  reject: (defect: string) => never,
): AsyncGenerator<Row | string> {
  const [first = ''] = (await readHead(source, MAX_ROW_BYTES)).toString('latin1').split(/\r|\n/, 1);
  // Excel reads and writes this line before the names of the columns.
  const declared = /^(?:\xef\xbb\xbf)?sep=(.)$/.exec(first)?.[1];
  const delimiter = declared ?? (/\.tsv$/i.test(name) ? '\t' : findDelimiter(first));
  // The callback is required but empty: the loop over the parser receives the errors.
  const parser = pipeline(
    source.open(),
    parse({
      bom: true,
      delimiter,
      from_line: declared === undefined ? 1 : 2,
      info: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: MAX_ROW_BYTES,
    }),
    () => {},
  );
  let columns: { file: number; label: number; split: number } | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      if (!columns) {
        if (record.length > MAX_COLUMNS) reject(`has ${record.length} columns; the limit is ${MAX_COLUMNS}`);
        columns = findColumns(record, fields, reject);
        if (columns.file < 0 || columns.label < 0) {
          yield record.slice(0, MAX_SHOWN).map(quote).join(', ') + (record.length > MAX_SHOWN ? ', …' : '');
          return;
        }
        continue;
      }
      yield {
        place: `line ${info.lines}`,
        file: record[columns.file]!,
        label: record[columns.label]!,
        split: record[columns.split],
      };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    reject(`cannot be read: ${describeCsvError(error)}`);
  }
}

function describeCsvError(error: CsvError): string {
  const line = `line ${error['lines']}`;
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return `a quote that opens before ${line} is never closed`;
    case 'CSV_MAX_RECORD_SIZE':
      return `${line} is longer than ${MAX_ROW_BYTES} bytes`;
    case 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH':
    case 'CSV_RECORD_INCONSISTENT_COLUMNS':
      return `${line} has ${(error['record'] as string[]).length} columns, unlike the first one`;
    default:
      return `${line} has a quote in the middle of a value`;
  }
}

/** The places of the columns, −1 if there is none. */
function findColumns(header: readonly string[], fields: TableFields, reject: (defect: string) => never) {
  const names = header.map((name) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, ''));
  const find = (field: keyof TableFields, known: string) => {
    const given = fields[field];
    if (given === null)
      return (
        known
          .split(',')
          .map((name) => names.indexOf(name))
          .find((at) => at >= 0) ?? -1
      );
    const at = header.indexOf(given);
    if (at < 0)
      reject(
        `has no column ${quote(given)}, which ${field} names; its columns are ${header.slice(0, MAX_SHOWN).map(quote).join(', ')}`,
      );
    return at;
  };
  return {
    file: find('fileColumn', COLUMNS.file),
    label: find('labelColumn', COLUMNS.label),
    split: find('splitColumn', COLUMNS.split),
  };
}

interface ExportedTask {
  readonly image?: unknown;
  readonly choice?: unknown;
  readonly data?: { readonly image?: unknown };
  readonly annotations?: readonly {
    readonly result?: readonly { readonly value?: { readonly choices?: unknown } }[];
  }[];
}

/** The tasks of an export of Label Studio, JSON or JSON-MIN. */
async function* readExport(
  source: ByteSource,
  reject: (defect: string) => never,
): AsyncGenerator<Row | string> {
  if (source.bytes! > MAX_JSON_BYTES) return;
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.open()) chunks.push(chunk);
  let tasks: unknown;
  try {
    tasks = JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return;
  }
  if (!Array.isArray(tasks)) return;
  for (const [n, task] of (tasks as (ExportedTask | null)[]).entries()) {
    const file = task?.data?.image ?? task?.image;
    if (typeof file !== 'string') return;
    const found =
      task?.choice ??
      task?.annotations?.flatMap(({ result }) => result?.flatMap(({ value }) => value?.choices ?? []) ?? []);
    const choices = [found ?? []].flat(2).filter((choice) => choice !== null);
    if (new Set(choices).size > 1)
      reject(
        `gives task ${n + 1} several classes: ${choices.slice(0, MAX_SHOWN).join(', ')}; one class an image is learnt`,
      );
    yield { place: `task ${n + 1}`, file, label: String(choices[0] ?? ''), split: undefined };
  }
}
