/** Errors of PostgreSQL and of its connections, with advice. */
import { AtelierError } from '../../errors.ts';

/** Seconds until a client may try again. */
const RETRY_AFTER_SECONDS = 2;

/** SQLSTATE of a transaction that can be repeated as a whole: serialization failure, deadlock. */
const REPEATABLE = ['40001', '40P01'];

/** SQLSTATE classes and codes of a database that cannot be used now. */
const UNAVAILABLE =
  // connection exception; too many connections; shutdown, crash, starting up; idle for too long, a standby; slow or locked
  /^(08...|53300|57P0.|25P03|25006|57014|55P03)$/;

/** SQLSTATE of text that is not valid UTF-8. Strings of JavaScript are, apart from NUL. */
const NUL = '22021';

/** Code of a system error, such as ECONNREFUSED. */
const SYSTEM = /^E[A-Z]+$/;

/** Errors of pg without a code. */
const UNAVAILABLE_MESSAGE =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed)/;

/** SQLSTATE of errors that only the operator can cure, with advice. */
const ADVICE: Readonly<Record<string, string>> = {
  '28000': 'Check the user in DATABASE_URL and the access rules of the server (pg_hba.conf).',
  '28P01': 'Check user and password in DATABASE_URL.',
  '3D000': 'Create the database, or correct its name in DATABASE_URL.',
  '42P01': 'Its tables are missing: run npx atelier migrate, or start the service once.',
  '42501':
    'Grant the rights to the user of DATABASE_URL: it must own the schemas atelier and atelier_boss, or be allowed to create them (grant create on database).',
  XX001: 'Restore the database from a backup.',
  XX002: 'Rebuild the index (reindex).',
};

const TLS_ADVICE = 'Check sslmode and sslrootcert in DATABASE_URL, and the certificate of the server.';

/** Whether the transaction was rolled back because of others. */
export function isRepeatable(error: unknown): boolean {
  return REPEATABLE.includes(readCode(error) ?? '');
}

/** Converts failures of database and connection to an AtelierError. Other errors are bugs and are returned unchanged. */
export function toStorageError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof AtelierError) return error;
  const code = readCode(error);
  if (isLost(error, code)) return storageUnavailable(error);
  if (code === '53100') {
    return new AtelierError(
      'storage-full',
      'The disk of the database is full, so the change could not be stored. Earlier data is intact. Free some space on the disk of PostgreSQL, then try again.',
      { cause: error },
    );
  }
  if (code === NUL) {
    const message = 'A text of the request contains the character NUL. It cannot be stored.';
    return new AtelierError('invalid-request', message, { cause: error });
  }
  const advice = isRefusedByTls(error, code) ? TLS_ADVICE : ADVICE[code ?? ''];
  if (advice === undefined) return error;
  return new AtelierError('state-unusable', `The database cannot be used: ${error.message}. ${advice}`, {
    cause: error,
  });
}

export function storageUnavailable(cause: unknown): AtelierError {
  const reason = cause instanceof Error ? (readCode(cause) ?? cause.message) : String(cause);
  return new AtelierError(
    'storage-unavailable',
    `The database does not answer (${reason}). Try again shortly; a change that was under way may have been stored. ` +
      'If it lasts, check PostgreSQL and DATABASE_URL.',
    { cause, retryAfterSeconds: RETRY_AFTER_SECONDS },
  );
}

function isLost(error: Error, code: string | undefined): boolean {
  if (code === undefined) return UNAVAILABLE_MESSAGE.test(error.message);
  return UNAVAILABLE.test(code) || SYSTEM.test(code);
}

function isRefusedByTls(error: Error, code: string | undefined): boolean {
  return code === undefined ? /SSL/.test(error.message) : /CERT|TLS|SSL/.test(code);
}

function readCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
