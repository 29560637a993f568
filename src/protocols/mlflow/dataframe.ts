/** Rows of a pandas DataFrame in the two JSON forms of MLflow: split and records. */
import { rejectAt } from '../../formats/json-limits.ts';
import type { Invocation } from './schema.ts';

type Rows = readonly unknown[];

/**
 * Reads a table with one pixel per column, or with one column that holds images.
 * @returns one image per element
 * @throws AtelierError `invalid-request` if a row is not an array, or its length differs from that of `columns`
 */
export function splitRows({ columns, data }: NonNullable<Invocation['dataframe_split']>): Rows {
  const pointer = '#/dataframe_split/data';
  return data.map((row, n) => {
    if (!Array.isArray(row)) return rejectAt(`${pointer}/${n}`, 'must be an array, one row of the table');
    if (columns && row.length !== columns.length) {
      rejectAt(`${pointer}/${n}`, `has ${row.length} cells; the table has ${columns.length} columns`);
    }
    return unwrapImage(row);
  });
}

/** @throws AtelierError `invalid-request` if rows have different columns */
export function recordRows(records: NonNullable<Invocation['dataframe_records']>): Rows {
  const columns = Object.keys(records[0] ?? {});
  return records.map((record, n) => {
    const pointer = `#/dataframe_records/${n}`;
    if (Object.keys(record).length !== columns.length) {
      rejectAt(pointer, `has ${Object.keys(record).length} columns; the first row has ${columns.length}`);
    }
    return unwrapImage(
      columns.map((column) => {
        if (!Object.hasOwn(record, column)) rejectAt(pointer, 'must have the same columns as the first row');
        return record[column];
      }),
    );
  });
}

const unwrapImage = (row: Rows): unknown => (row.length === 1 && Array.isArray(row[0]) ? row[0] : row);
