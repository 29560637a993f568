/** A page of a list of the API. */
export interface List<T> {
  readonly data: readonly T[];
  readonly hasMore: boolean;
}
