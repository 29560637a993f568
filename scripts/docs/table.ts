/** Markdown tables, and numbers in the notation of the pages. */

const KIBIBYTE = 2 ** 10;
const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const row = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;

/** Pads the columns as Biome does. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((each) => cell(each[column]!).length)),
  );
  const pad = (cells: readonly string[]) =>
    cells.map((text, column) => text + ' '.repeat(widths[column]! - cell(text).length));
  return [
    row(pad(head)),
    `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
    ...rows.map((each) => row(pad(each))),
  ].join('\n');
}

export const count = (value: number) => value.toLocaleString('en');

export function bytes(value: number): string {
  if (value % GIBIBYTE === 0) return `${count(value / GIBIBYTE)} GiB`;
  if (value % MEBIBYTE === 0) return `${count(value / MEBIBYTE)} MiB`;
  if (value % KIBIBYTE === 0) return `${count(value / KIBIBYTE)} KiB`;
  return `${count(value)} bytes`;
}

export function duration(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  return ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`;
}

/** 4e9 → 4·10⁹ */
export function power(value: number): string {
  const [mantissa, exponent] = value.toExponential().split('e+');
  const digits = Array.from(exponent!, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('');
  return `${mantissa}·10${digits}`;
}
