/** The error of a row that has one. */

/** The columns of the error: both are null or neither is. */
interface ErrorColumns {
  readonly error_code: string | null;
  readonly error_message: string | null;
}

export function toError({ error_code: code, error_message: message }: ErrorColumns) {
  return code === null || message === null ? null : { code, message };
}
