/** The log of a store, a part of the service's log. */
export interface StoreLog {
  /** Receives the steps of checking and migrating the database. */
  info(fields: object, message: string): void;
  /** Receives advice if files were moved to `lost+found`, or the write-ahead log cannot be copied. */
  warn(message: string): void;
}
