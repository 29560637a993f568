/** A stretch of a longer list. */
export interface Page<T> {
  readonly data: T[];
  readonly hasMore: boolean;
}

/** From the `limit + 1` rows that were asked for: the one too many says that there are more. */
export function toPage<Row, T>(rows: readonly Row[], limit: number, convert: (row: Row) => T): Page<T> {
  return { data: rows.slice(0, limit).map(convert), hasMore: rows.length > limit };
}
