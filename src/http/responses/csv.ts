/** Epoch records as CSV, for spreadsheets and `numpy.genfromtxt`. */
import type { EpochRecord } from '../../domain/epoch-record.ts';
import { epochRecordSchema } from '../../domain/epoch-record.ts';

const COLUMNS = Object.keys(epochRecordSchema.shape) as (keyof EpochRecord)[];

/** RFC 4180. A missing number is an empty cell; the values of an array (one per layer) are separated by spaces. */
export function epochsToCsv(records: readonly EpochRecord[]): string {
  const cell = (value: EpochRecord[keyof EpochRecord]) =>
    Array.isArray(value) ? value.join(' ') : (value ?? '');
  const rows = records.map((record) => COLUMNS.map((column) => cell(record[column])).join(','));
  return [COLUMNS.join(','), ...rows, ''].join('\r\n');
}
