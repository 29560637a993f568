/** Rows of a pandas DataFrame in the JSON forms of MLflow: split, records, and lists by column. */
import { rejectAt } from '../../formats/json/limits.ts';
import { isObject, type JsonObject } from '../json-object.ts';
import type { Invocation } from './schema.ts';

type Rows = readonly unknown[];

/**
 * Reads a table with one pixel per column, or with one column that holds images.
 * @returns one image per element
 * @throws AtelierError `invalid-request` if a row is not an array, or its length differs from the length of `columns`
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
export function recordRows(records: Rows, pointer: string): Rows {
  const [first] = records;
  const columns = isObject(first) ? Object.keys(first) : [];
  return records.map((record, n) => {
    const at = `${pointer}/${n}`;
    if (!isObject(record)) return rejectAt(at, 'must be an object, one row of the table');
    const count = Object.keys(record).length;
    if (count !== columns.length) rejectAt(at, `has ${count} columns; the first row has ${columns.length}`);
    return unwrapImage(
      columns.map((column) => {
        if (!Object.hasOwn(record, column)) rejectAt(at, 'must have the same columns as the first row');
        return record[column];
      }),
    );
  });
}

/** @throws AtelierError `invalid-request` if a column is not an array, or columns differ in length */
export function columnRows(columns: JsonObject, pointer: string): Rows {
  const cells = Object.entries(columns).map(([name, column]) => {
    if (Array.isArray(column)) return column as Rows;
    return rejectAt(`${pointer}/${name}`, 'must be an array, one column of the table');
  });
  const { length } = cells[0]!;
  for (const [n, name] of Object.keys(columns).entries()) {
    const found = cells[n]!.length;
    if (found !== length) {
      rejectAt(`${pointer}/${name}`, `has ${found} cells, but the first column has ${length}`);
    }
  }
  return Array.from({ length }, (_, row) => cells.map((column) => column[row]));
}

/** Whether the value names several columns; one alone is the input of the model. */
export function isTableRow(value: unknown): value is JsonObject {
  return isObject(value) && Object.keys(value).length > 1;
}

const unwrapImage = (row: Rows): unknown => (row.length === 1 && typeof row[0] !== 'number' ? row[0] : row);
