/**
 * Streaming reader of Parquet, page by page: a row group can be as large as the file.
 * Format: https://parquet.apache.org/docs/file-format/. hyparquet decodes what `bounds.ts` has checked.
 */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import {
  type Compressors,
  type DecodedArray,
  type PageHeader,
  parquetMetadata,
  parquetSchema,
  type RowGroup,
  type SchemaTree,
} from 'hyparquet';
import { parquetHeader, readPage } from 'hyparquet/src/column.js';
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getTreePath } from 'hyparquet/src/schema.js';
import { decompressLz4, decompressLz4Raw, decompressSnappy } from 'hyparquet-compressors';
import { AtelierError } from '../../errors.ts';
import type { RangeSource } from '../archives/range-source.ts';
import type { Reject } from '../models/file-error.ts';
import { checkPage, endOfStruct } from './bounds.ts';

const MAGIC = 'PAR1';
export const MAX_FOOTER_BYTES = 16 * 2 ** 20;
/** Decompressed. Writers end a page after 1 MiB, or after 1,024 values that are larger. */
export const MAX_PAGE_BYTES = 512 * 2 ** 20;
/** A header holds statistics, whose texts can be long. */
const MAX_HEADER_BYTES = 2 ** 20;
const FIRST_HEADER_BYTES = 2 ** 10;
/** Groups of columns: lists and structs. */
export const MAX_GROUPS = 1000;

/** A column of values: a leaf of the schema. */
export interface ParquetColumn {
  /** The names from the column of the table to the leaf. */
  readonly path: readonly string[];
  /** Values are numbers, texts or bytes; others are not read. */
  readonly kind: 'whole' | 'fraction' | 'text' | 'bytes' | 'other';
  /** How values are nested: in lists, and in lists of one value, or none, for what may be missing. */
  readonly nesting: readonly ('list' | 'optional')[];
}

export interface ParquetFile {
  readonly rows: number;
  readonly columns: readonly ParquetColumn[];
  /** The text that the writer has stored under a key; undefined without it. */
  text(key: string): string | undefined;
  /** Memory that reading the column takes: that of its largest page. Checks the headers of all pages. */
  pageBytes(column: ParquetColumn): number;
  /** The values of the rows, page by page: null without one, and lists of lists of them. Bytes are views of the page. */
  values(column: ParquetColumn): Generator<readonly unknown[]>;
}

interface Page {
  readonly header: PageHeader;
  /** Position of its content. */
  readonly at: number;
  /** Values, of lists too. */
  readonly values: number;
}

export const isParquet = (head: Uint8Array) => Buffer.from(head.subarray(0, 4)).toString('latin1') === MAGIC;

/**
 * @param maxValues limit of the rows and of the values of a column
 * @throws the error of the source
 */
export function openParquet(file: RangeSource, maxValues: number): ParquetFile {
  const { reject } = file;
  const footer = readFooter(file);
  const metadata = guard(reject, 'its footer is damaged', () =>
    parquetMetadata(new Uint8Array(footer), { geoparquet: false }),
  );
  const { schema, row_groups: groups } = metadata;
  if (schema.some(({ name }) => name === undefined)) reject('its schema has a column without a name');
  if (schema.filter(({ num_children: children }) => children).length > MAX_GROUPS)
    reject(`it has more than ${MAX_GROUPS} lists and structs`);
  const tree = guard(reject, 'its schema is damaged', () => parquetSchema(metadata));
  const rows = groups.reduce((sum, { num_rows }) => sum + Number(num_rows), 0);
  const isCounted = groups.every(({ num_rows }) => Number(num_rows) >= 0);
  if (!isCounted || rows !== Number(metadata.num_rows))
    reject('its row groups have other rows than the file');
  if (rows > maxValues) reject(`it has ${rows} rows; the limit is ${maxValues}`);
  const leaves = new Map(listLeaves(tree).map((leaf) => [describe(leaf, tree), leaf.path]));
  const chunksOf = (column: ParquetColumn) => groups.map((group) => findChunk(group, column.path, file));
  const pathOf = (column: ParquetColumn) => getTreePath(tree, leaves.get(column)!);
  return {
    rows,
    columns: [...leaves.keys()],
    text: (key) => metadata.key_value_metadata?.find((pair) => pair.key === key)?.value,
    pageBytes(column) {
      let most = 0;
      for (const chunk of chunksOf(column)) {
        for (const { header, values } of readHeaders(file, chunk, maxValues)) {
          const page = header.compressed_page_size + header.uncompressed_page_size;
          // Levels, values and lists of them.
          most = Math.max(most, page + 24 * values);
        }
      }
      return most;
    },
    *values(column) {
      const path = pathOf(column);
      for (const chunk of chunksOf(column)) {
        let read = 0;
        for (const page of readValues(file, chunk, path, maxValues)) {
          read += page.length;
          yield page;
        }
        if (read !== chunk.rows) reject(`column ${column.path.join('.')} has ${read} of ${chunk.rows} rows`);
      }
    },
  };
}

function readFooter(file: RangeSource): Uint8Array {
  const { bytes, reject } = file;
  const end = Buffer.from(file.read(Math.max(0, bytes - 8), bytes));
  if (end.length < 8 || end.toString('latin1', 4) !== MAGIC) reject('it is truncated: its footer is missing');
  const length = end.readUInt32LE();
  if (length > Math.min(bytes - 12, MAX_FOOTER_BYTES))
    reject(`its footer takes ${length} bytes; the limit is ${MAX_FOOTER_BYTES}, and the size of the file`);
  const footer = file.read(bytes - 8 - length, bytes);
  if (endOfStruct(footer.subarray(0, length), 0, reject) === undefined) reject('its footer is damaged');
  return footer;
}

/** The decoder throws errors of its own, such as `RangeError`, for damaged data. */
function guard<T>(reject: Reject, defect: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    if (cause instanceof AtelierError) throw cause;
    return reject(defect, cause);
  }
}

const listLeaves = (tree: SchemaTree): SchemaTree[] =>
  tree.children.flatMap((child) => (child.children.length === 0 ? [child] : listLeaves(child)));

function describe({ path, element }: SchemaTree, tree: SchemaTree): ParquetColumn {
  const { type, converted_type: converted, logical_type: logical } = element;
  const isPlain = !logical || ['INTEGER', 'STRING', 'FLOAT16', 'ENUM'].includes(logical.type);
  const isNumber = isPlain && (converted === undefined || /^U?INT_/.test(converted));
  const isText = converted === 'UTF8' || converted === 'ENUM' || logical?.type === 'STRING';
  const kind = isText
    ? 'text'
    : logical?.type === 'FLOAT16' || (isNumber && (type === 'FLOAT' || type === 'DOUBLE'))
      ? 'fraction'
      : isNumber && (type === 'INT32' || type === 'INT64')
        ? 'whole'
        : !converted && !logical && type === 'BYTE_ARRAY'
          ? 'bytes'
          : 'other';
  const nesting = getTreePath(tree, path)
    .slice(1)
    .flatMap(({ element: { repetition_type: repetition }, children }) => {
      if (repetition === 'REPEATED') return ['list' as const];
      return repetition === 'OPTIONAL' && children.length > 0 ? ['optional' as const] : [];
    });
  return { path, kind, nesting };
}

/** The data of a column in a row group. */
type Chunk = Pick<
  NonNullable<RowGroup['columns'][number]['meta_data']>,
  'codec' | 'path_in_schema' | 'type'
> & {
  readonly rows: number;
  readonly values: number;
  readonly start: number;
  readonly end: number;
};

function findChunk(group: RowGroup, path: readonly string[], { bytes, reject }: RangeSource): Chunk {
  const name = path.join('.');
  const found = group.columns.find(({ meta_data: data }) => data?.path_in_schema.join('.') === name);
  const { meta_data: data, file_path: elsewhere } = found ?? {};
  if (!data || elsewhere) return reject(`column ${name} is encrypted, missing, or in another file`);
  const { codec, path_in_schema, type, num_values, data_page_offset, dictionary_page_offset } = data;
  // Damaged fields can have another type.
  const start = Number(dictionary_page_offset || data_page_offset);
  const end = start + Number(data.total_compressed_size);
  if (!(start >= 4 && end >= start && end <= bytes)) reject(`column ${name} is not where the footer says`);
  return {
    codec,
    path_in_schema,
    type,
    rows: Number(group.num_rows),
    values: Number(num_values),
    start,
    end,
  };
}

/** The pages of a column in a row group; their sizes are within it, and they have the values that it declares. */
function* readHeaders(file: RangeSource, chunk: Chunk, maxValues: number): Generator<Page> {
  const { path_in_schema: path, start, end, values: declared } = chunk;
  const reject: Reject = (defect, cause) => file.reject(`column ${path.join('.')}: ${defect}`, cause);
  if (declared > maxValues) reject(`it has ${declared} values; the limit is ${maxValues}`);
  let [at, found] = [start, 0];
  while (at < end && found < declared) {
    let [window, after]: [Uint8Array, number | undefined] = [new Uint8Array(0), undefined];
    for (let bytes = FIRST_HEADER_BYTES; after === undefined; bytes *= 32) {
      window = file.read(at, Math.min(end, at + bytes));
      after = endOfStruct(window, 0, reject);
      if (after === undefined && (bytes >= MAX_HEADER_BYTES || at + bytes >= end))
        reject('a page is truncated');
    }
    const header = guard(reject, 'a page is damaged', () =>
      parquetHeader({ view: new DataView(window.buffer, window.byteOffset, window.length), offset: 0 }),
    );
    const { type, compressed_page_size: compressed, uncompressed_page_size: bytes } = header;
    if (typeof compressed !== 'number' || typeof bytes !== 'number') reject('a page is damaged');
    const isData = type !== 'DICTIONARY_PAGE';
    const described = {
      DATA_PAGE: header.data_page_header,
      DATA_PAGE_V2: header.data_page_header_v2,
      DICTIONARY_PAGE: header.dictionary_page_header,
      INDEX_PAGE: undefined,
    }[type];
    const values = Number(described?.num_values ?? -1);
    at += after!;
    const isSized = compressed >= 0 && bytes >= 0 && at + compressed <= end && values >= 0;
    if (!isSized || (isData && values > declared - found) || (!isData && values > bytes))
      reject('a page has other sizes than the column');
    if (bytes > MAX_PAGE_BYTES)
      reject(`a page takes ${bytes} bytes; the limit is ${MAX_PAGE_BYTES}, so write smaller pages`);
    yield { header, at, values };
    at += compressed;
    if (isData) found += values;
  }
  if (found !== declared) reject(`it has ${found} of ${declared} values`);
}

/** The rows of a column in a row group. */
function* readValues(
  file: RangeSource,
  chunk: Chunk,
  path: SchemaTree[],
  maxValues: number,
): Generator<readonly unknown[]> {
  const reject: Reject = (defect, cause) =>
    file.reject(`column ${chunk.path_in_schema.join('.')}: ${defect}`, cause);
  const levels = [getMaxRepetitionLevel(path), getMaxDefinitionLevel(path)] as const;
  const isList = levels[0] > 0;
  const decoder = {
    pathInSchema: chunk.path_in_schema,
    type: chunk.type,
    element: path.at(-1)!.element,
    schemaPath: path,
    codec: 'UNCOMPRESSED',
    parsers: DEFAULT_PARSERS,
    utf8: false,
  } as const;
  let dictionary: DecodedArray | undefined;
  /** The last row of the page before, which a page of lists may continue. */
  let last: unknown[] = [];
  for (const { header, at } of readHeaders(file, chunk, maxValues)) {
    const page = decompressPage(file.read(at, at + header.compressed_page_size), header, chunk.codec, reject);
    const { type } = header;
    if (type !== 'DICTIONARY_PAGE') {
      const v2 = ofVersion2(header);
      const { num_values: values, encoding } = (v2 ?? header.data_page_header)!;
      const levelBytes =
        v2 && ([v2.repetition_levels_byte_length, v2.definition_levels_byte_length] as const);
      checkPage(page, { values, encoding, ...(levelBytes && { levelBytes }) }, levels, reject);
    }
    const reader = { view: new DataView(page.buffer, page.byteOffset, page.length), offset: 0 };
    const sizes = { compressed_page_size: page.length, uncompressed_page_size: page.length };
    const data = guard(reject, 'a page is damaged', () => {
      const found = readPage(
        reader,
        { ...header, ...sizes },
        decoder,
        dictionary,
        isList ? last : undefined,
        0,
      );
      return type === 'DICTIONARY_PAGE' ? convert(found.data!, decoder) : found.data!;
    });
    if (type === 'DICTIONARY_PAGE') dictionary = data;
    else if (isList) {
      last = (data as unknown[]).splice(-1);
      yield data as unknown[];
    } else yield data as unknown[];
  }
  if (last.length > 0) yield last;
}

const ofVersion2 = ({ type, data_page_header_v2: v2 }: PageHeader) =>
  type === 'DATA_PAGE_V2' ? v2 : undefined;

/** Decompresses a page, of version 2 without its levels, which are never compressed. */
function decompressPage(
  compressed: Uint8Array,
  header: PageHeader,
  codec: Chunk['codec'],
  reject: Reject,
): Uint8Array {
  const { uncompressed_page_size: bytes } = header;
  const v2 = ofVersion2(header);
  if (codec === 'UNCOMPRESSED' || v2?.is_compressed === false) return compressed;
  const levels = v2 ? v2.repetition_levels_byte_length + v2.definition_levels_byte_length : 0;
  if (!(levels >= 0 && levels <= Math.min(compressed.length, bytes))) reject('a page has damaged levels');
  const decompress = DECOMPRESSORS[codec] ?? reject(`the compression ${codec} is not read`);
  const rest = compressed.subarray(levels);
  const content =
    bytes === levels
      ? new Uint8Array(0)
      : guard(reject, 'a page is damaged', () => decompress(rest, bytes - levels));
  if (content.length !== bytes - levels) reject('a page decompresses to another size than it declares');
  return levels === 0 ? content : Buffer.concat([compressed.subarray(0, levels), content]);
}

/** Those of Node stop at the length of the page. */
const DECOMPRESSORS: Compressors = {
  GZIP: (input, maxOutputLength) => gunzipSync(input, { maxOutputLength }),
  BROTLI: (input, maxOutputLength) => brotliDecompressSync(input, { maxOutputLength }),
  ZSTD: (input, maxOutputLength) => zstdDecompressSync(input, { maxOutputLength }),
  SNAPPY: decompressSnappy,
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
};
