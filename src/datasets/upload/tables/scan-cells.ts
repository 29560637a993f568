/** Streaming scanner of numbers in CSV and TSV: millions of rows of hundreds of cells, which a general parser takes minutes for. */
import type { ByteSource } from '../byte-source.ts';

const [NEWLINE, RETURN, QUOTE] = [10, 13, 34];
/** A number, a class or a split; a longer cell is rejected. */
const MAX_CELL_BYTES = 400;

/** A cell: its bytes without quotes, in a buffer that the next cell overwrites. */
export interface Cell {
  readonly bytes: Uint8Array;
  length: number;
  /** From 0. */
  column: number;
  /** Line of the file, from 1. */
  line: number;
}

export interface CellVisitor {
  cell(cell: Cell): void;
  /** Called at the end of a line that is not empty. @param columns its number of cells */
  row(columns: number, line: number): void;
}

/**
 * Visits the cells of each chunk, then yields, so that the caller can pass on what it has collected.
 * @param reject called with a defect that names the line
 */
export async function* scanCells(
  source: ByteSource,
  delimiter: number,
  visitor: CellVisitor,
  reject: (defect: string) => never,
): AsyncGenerator<void> {
  const cell: Cell = { bytes: new Uint8Array(MAX_CELL_BYTES), length: 0, column: 0, line: 1 };
  const { bytes } = cell;
  let isQuoted = false;
  let isEmpty = true;
  const endRow = () => {
    if (!isEmpty) {
      visitor.cell(cell);
      visitor.row(cell.column + 1, cell.line);
    }
    cell.length = cell.column = 0;
    cell.line++;
    isEmpty = true;
  };
  for await (const chunk of source.open()) {
    for (const byte of chunk) {
      if (byte === QUOTE) {
        isQuoted = !isQuoted;
        isEmpty = false;
      } else if (byte === NEWLINE && !isQuoted) endRow();
      else if (byte === delimiter && !isQuoted) {
        visitor.cell(cell);
        cell.length = 0;
        cell.column++;
        isEmpty = false;
      } else if (byte !== RETURN) {
        if (cell.length === MAX_CELL_BYTES)
          reject(
            isQuoted
              ? `line ${cell.line} has a quote that is never closed`
              : `line ${cell.line} has a cell of more than ${MAX_CELL_BYTES} bytes`,
          );
        bytes[cell.length++] = byte;
        isEmpty = false;
      }
    }
    yield;
  }
  if (isQuoted) reject(`line ${cell.line} has a quote that is never closed`);
  endRow();
}

export const cellText = ({ bytes, length }: Cell): string =>
  Buffer.from(bytes.buffer, 0, length).toString().trim();

/** The number in a cell; NaN if it holds none. */
export function cellNumber(cell: Cell): number {
  const { bytes, length } = cell;
  let number = 0;
  for (let i = 0; i < length; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9 || length > 15) return parseNumber(cell);
    number = 10 * number + digit;
  }
  return length === 0 ? Number.NaN : number;
}

function parseNumber(cell: Cell): number {
  const text = cellText(cell);
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}
