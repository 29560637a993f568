/** Text for terminals: tables, numbers, and names without control characters. */

/** Carriage return, and erase to the end of the line. */
export const CLEAR_LINE = '\r\u001B[K';

/**
 * Replaces control characters: they could move the cursor or change the title of a terminal. Those of bidirectional text
 * could show the characters after them in another order.
 */
export const printable = (text: string) => text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, '\uFFFD');

/** Aligns columns, separated by two spaces. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(printable));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A loss, an accuracy or a probability; a dash for none. */
export const formatFigure = (value: number | null | undefined) => value?.toFixed(4) ?? '-';

/** 28×28, or 32×32×3 for colour images. */
export const formatShape = (shape: readonly number[]) => shape.join('×');

/** A point in time to the second, in UTC: 2026-11-24 23:52:10. */
export const formatTime = (iso: string | null) => iso?.slice(0, 19).replace('T', ' ') ?? '-';
