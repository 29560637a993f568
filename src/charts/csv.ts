/** Cells of CSV (RFC 4180), safe for spreadsheets. */

/** Text that a spreadsheet would evaluate; a signed number is harmless. https://owasp.org/www-community/attacks/CSV_Injection */
const FORMULA = /^(?![+-]?\d+(\.\d+)?$)[=+\-@＝＋－＠\t\r\n]/;

/** Structures are JSON, a missing value is an empty cell. Text that begins like a formula gets an apostrophe; numbers do not. */
export function toCsvCell(value: unknown): string {
  if (typeof value === 'object' && value !== null) return toCsvCell(JSON.stringify(value));
  if (typeof value !== 'string') return String(value ?? '');
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
