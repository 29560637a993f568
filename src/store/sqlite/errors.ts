/** Errors of SQLite as named errors with advice. */
import { AtelierError } from '../../errors.ts';
import { errorMessage, storageFull } from '../blobs/directory.ts';

const BUSY = 5;
const READONLY = 8;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

const PERMISSIONS = 'Check the owner and permissions of the file and its directory.';
const RESTORE =
  'Restore it from a backup, with its -wal file if it has one, or move the state directory away to start empty.';

const ADVICE: Readonly<Record<number, string>> = {
  [BUSY]: 'Close the other program that is using it.',
  [READONLY]: PERMISSIONS,
  [IO_ERROR]: 'Check the disk.',
  [CORRUPT]: RESTORE,
  [FULL]: 'Free some space on the disk.',
  [CANNOT_OPEN]: PERMISSIONS,
  [NOT_A_DATABASE]: RESTORE,
};

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === BUSY;
}

/** Converts disk failures to named errors. Other errors of a statement are bugs and are rethrown unchanged. */
export function withNamedErrors<T>(statement: () => T): T {
  try {
    return statement();
  } catch (error) {
    const code = primaryCode(error);
    if (code === FULL) throw storageFull('the change', error);
    throw code !== undefined && code in ADVICE ? toStateError('The database', error) : error;
  }
}

/** Converts an error of SQLite to a `state-unusable` error with advice. Returns an AtelierError unchanged. */
export function toStateError(file: string, error: unknown): AtelierError {
  if (error instanceof AtelierError) return error;
  const advice = ADVICE[primaryCode(error) ?? CORRUPT] ?? RESTORE;
  return new AtelierError('state-unusable', `${file} cannot be used: ${errorMessage(error)}. ${advice}`, {
    cause: error,
  });
}

/** The primary SQLite result code, without the extended code in its upper bits. */
function primaryCode(error: unknown): number | undefined {
  const hasCode = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
  return hasCode ? (error.errcode as number) & 0xff : undefined;
}
