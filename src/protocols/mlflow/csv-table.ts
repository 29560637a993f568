/** Tables of numbers as CSV (RFC 4180). */
import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { showImageShape } from '../../domain/image-shape.ts';
import { AtelierError } from '../../errors.ts';
import type { NestedTensor } from '../../formats/json/nested-numbers.ts';
import { quote } from '../../formats/models/file-error.ts';
import { type ImageShape, valueCount } from '../../numerics/network/image-shape.ts';

/** Whether the first row names the columns; undefined if the request does not state it. */
export type CsvHeader = 'present' | 'absent' | undefined;

/** Limits of a row: the larger of them. A float64 has at most 24 characters, and a cell quotes and a comma. */
export const MIN_ROW_BYTES = 64 * 1024;
export const CELL_BYTES = 32;
export const MAX_NUMBERS = 2 ** 24;
const [LF, CR, QUOTE] = [10, 13, 34];
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Without `header`, the first row is a header if it contains no number, or if it counts 0, 1, 2, …, as pandas names
 * unnamed columns. A damaged cell rejects the whole table, because skipping its row would silently drop a prediction.
 * @throws AtelierError `malformed-body`, `invalid-image-size`
 */
export function readCsv(bytes: Uint8Array, header: CsvHeader, shape: ImageShape): NestedTensor {
  const inputs = valueCount(shape);
  const maxRowBytes = Math.max(MIN_ROW_BYTES, CELL_BYTES * inputs);
  const longRow = `a row is longer than ${maxRowBytes} bytes`;
  let values = new Float64Array(1024);
  let columns = 0;
  let length = 0;
  let row = 0;
  function addRow(cells: readonly string[]): null {
    row++;
    if (row === 1) {
      columns = cells.length;
      if (isHeader(cells, header)) return null;
    }
    if (length + columns > MAX_NUMBERS) malformed(`it has more than ${MAX_NUMBERS} numbers`);
    if (length + columns > values.length) {
      const grown = new Float64Array(Math.max(values.length * 2, columns));
      grown.set(values);
      values = grown;
    }
    for (const [n, cell] of cells.entries()) {
      if (!NUMBER.test(cell)) malformed(`row ${row}, column ${n + 1} is ${quote(cell)}, not a number`);
      values[length++] = Number(cell);
    }
    return null;
  }
  if (findLongRow(bytes, maxRowBytes)) malformed(longRow);
  try {
    // addRow returns null, so the parser does not collect the records.
    parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      max_record_size: maxRowBytes,
      on_record: addRow,
    });
  } catch (error) {
    if (error instanceof CsvError) {
      const isLong = error.code === 'CSV_MAX_RECORD_SIZE';
      malformed(isLong ? longRow : (CSV_DEFECTS[error.code] ?? 'its syntax is invalid'), error);
    }
    throw error;
  }
  if (length === 0) malformed('it has no row of numbers');
  if (columns !== inputs) {
    const advice =
      columns === inputs + 1 ? ' Write it without an index, as pandas does with index=False.' : '';
    throw new AtelierError(
      'invalid-image-size',
      `The table has ${columns} columns, but an image of ${showImageShape(shape)} has ${inputs} numbers.${advice}`,
    );
  }
  return { shape: [length / columns, columns], values: values.subarray(0, length) };
}

/** The parser counts neither separators nor spaces: a row of 64 MiB of commas would be 67 million cells. */
function findLongRow(bytes: Uint8Array, maxBytes: number): boolean {
  let start = 0;
  let isQuoted = false;
  // The parser takes the line end of the first row as that of all rows.
  let end = 0;
  let isPair = false;
  for (let n = 0; n < bytes.length; n++) {
    const byte = bytes[n]!;
    if (byte === QUOTE) isQuoted = !isQuoted;
    else if (!isQuoted && (byte === LF || byte === CR)) {
      if (end === 0) {
        isPair = byte === CR && bytes[n + 1] === LF;
        end = isPair ? LF : byte;
      }
      if (byte === end && (!isPair || bytes[n - 1] === CR)) start = n + 1;
    }
    if (n - start > maxBytes) return true;
  }
  return false;
}

/** Our own words for the errors of the parser. */
const CSV_DEFECTS: Readonly<Partial<Record<CsvError['code'], string>>> = {
  CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: 'its rows differ in the number of columns',
  CSV_QUOTE_NOT_CLOSED: 'a quoted cell is not closed',
};

/** Whether the first row names the columns. */
function isHeader(cells: readonly string[], header: CsvHeader): boolean {
  if (cells.length === 1 && /[;\t]/.test(cells[0]!))
    malformed('its cells are separated by semicolons or tabs; separate them by commas');
  if (header !== undefined) return header === 'present';
  if (looksLikeHeader(cells)) return true;
  if (holdsNumberedNames(cells)) {
    malformed(
      `its first row has ${cells.length} different whole numbers. They are names of columns, not pixels. ` +
        'Declare it with the content type text/csv; header=present. Columns are read in the order of the file',
    );
  }
  return false;
}

function looksLikeHeader(cells: readonly string[]): boolean {
  return (
    cells.every((cell) => !NUMBER.test(cell)) ||
    (cells.length > 1 && cells.every((cell, n) => cell === String(n)))
  );
}

/** More different whole numbers than a pixel has values. */
const holdsNumberedNames = (cells: readonly string[]) =>
  cells.length > 256 && cells.every((cell) => /^\d+$/.test(cell)) && new Set(cells).size === cells.length;

function malformed(defect: string, cause?: unknown): never {
  throw new AtelierError('malformed-body', `The body cannot be read as CSV: ${defect}.`, { cause });
}
