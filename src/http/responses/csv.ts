/** Epoch records as a table for spreadsheets and `numpy.genfromtxt`. */
import type { EpochRecord } from '../../domain/epoch-record.ts';
import { epochRecordSchema } from '../../domain/epoch-record.ts';

const COLUMNS = Object.keys(epochRecordSchema.shape) as (keyof EpochRecord)[];

/** RFC 4180; a missing number is an empty cell, the shares of several layers are separated by spaces. */
export function epochsToCsv(records: readonly EpochRecord[]): string {
  const cell = (value: EpochRecord[keyof EpochRecord]) =>
    Array.isArray(value) ? value.join(' ') : (value ?? '');
  const rows = records.map((record) => COLUMNS.map((column) => cell(record[column])).join(','));
  return [COLUMNS.join(','), ...rows, ''].join('\r\n');
}
