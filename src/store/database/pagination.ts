/** Pagination: one page of a list. */
export interface Page<T> {
  readonly data: T[];
  readonly hasMore: boolean;
}

/** A page of a numbered list; `after` is exclusive. */
export interface NumberedQuery {
  readonly limit: number;
  readonly after?: number | undefined;
}

/** A page of a list of jobs, newest first; `after` is exclusive. */
export interface StatusQuery<Status> {
  readonly limit: number;
  readonly after?: string | undefined;
  readonly status?: Status | undefined;
}

/** Makes a page of up to `limit + 1` selected rows; the extra row shows that more rows follow. */
export function toPage<Row, T>(rows: readonly Row[], limit: number, convert: (row: Row) => T): Page<T> {
  return { data: rows.slice(0, limit).map(convert), hasMore: rows.length > limit };
}
