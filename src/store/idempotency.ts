/** Idempotency records: stored responses, replayed byte for byte. */
import type { Transaction } from 'kysely';
import type { Rows } from './database/rows.ts';
import type { Database } from './database/tables.ts';

const RETENTION_MS = 24 * 60 * 60 * 1000;

/** `key` is unique per `caller`; `fingerprint` identifies the request. */
export interface KeyedRequest {
  readonly caller: string;
  readonly key: string;
  readonly fingerprint: string;
}

/** The response exactly as sent, so replays are byte-identical even if the resource changes later. */
export interface StoredResponse {
  readonly status: number;
  readonly location: string | null;
  readonly contentType: string;
  readonly body: string;
}

/**
 * Passed to the code that creates a `T`. It calls `createOnce` in its transaction, so that a crash leaves both the
 * resource and its response, or neither.
 */
export interface IdempotencyRecord<T> extends KeyedRequest {
  readonly at: Date;
  render(created: T): StoredResponse;
}

/** Records older than 24 hours are ignored. */
export function createStoredResponses({ db }: Rows) {
  return {
    find: ({ caller, key }: Pick<KeyedRequest, 'caller' | 'key'>, at: Date) =>
      db
        .selectFrom('answers')
        .select(['fingerprint', 'status', 'location', 'content_type as contentType', 'body'])
        .where('caller', '=', caller)
        .where('key', '=', key)
        .where('created_at', '>', expiry(at))
        .executeTakeFirst(),
    async deleteExpired(at: Date) {
      await db.deleteFrom('answers').where('created_at', '<=', expiry(at)).execute();
    },
  };
}

/** Thrown if another request has stored a response for the key in between. Nothing was created. */
export class AlreadyAnswered extends Error {
  constructor(key: string) {
    super(`A response for the key ${key} is stored already.`);
    this.name = 'AlreadyAnswered';
  }
}

/**
 * Runs `create`, and stores the response of what it creates. The key is claimed first, so that of two processes with the
 * same key one waits for the other and creates nothing.
 * @param record undefined for a request without a key
 * @throws AlreadyAnswered, and the errors of `create`
 */
export async function createOnce<T>(
  trx: Transaction<Database>,
  record: IdempotencyRecord<T> | undefined,
  create: () => Promise<T>,
): Promise<T> {
  if (record === undefined) return create();
  await claimKey(trx, record);
  const created = await create();
  const { status, location, contentType, body } = record.render(created);
  await trx
    .updateTable('answers')
    .set({ status, location, content_type: contentType, body })
    .where('caller', '=', record.caller)
    .where('key', '=', record.key)
    .execute();
  return created;
}

/** Waits for another transaction that has claimed the key. The row without a response is never committed. */
async function claimKey(
  trx: Transaction<Database>,
  { caller, key, fingerprint, at }: KeyedRequest & { readonly at: Date },
): Promise<void> {
  await trx
    .deleteFrom('answers')
    .where('caller', '=', caller)
    .where('key', '=', key)
    .where('created_at', '<=', expiry(at))
    .execute();
  const unanswered = { status: 0, location: null, content_type: '', body: '' };
  const claimed = await trx
    .insertInto('answers')
    .values({ caller, key, fingerprint, created_at: at.toISOString(), ...unanswered })
    .onConflict((conflict) => conflict.doNothing())
    .returning('key')
    .executeTakeFirst();
  if (claimed === undefined) throw new AlreadyAnswered(key);
}

/** Records created at this time or before have expired. */
function expiry(at: Date): string {
  return new Date(at.getTime() - RETENTION_MS).toISOString();
}
