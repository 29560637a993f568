/** Pagination: one page of a list. */
export interface Page<T> {
  readonly data: T[];
  readonly hasMore: boolean;
}

/** Makes a page of up to `limit + 1` selected rows; the extra row shows that more rows follow. */
export function toPage<Row, T>(rows: readonly Row[], limit: number, convert: (row: Row) => T): Page<T> {
  return { data: rows.slice(0, limit).map(convert), hasMore: rows.length > limit };
}
