/** Idempotency records: stored responses, replayed byte for byte. */
import type { Transaction } from 'kysely';
import type { Rows } from './rows.ts';
import type { Database } from './tables.ts';

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
 * Passed to the code that creates a `T`, which calls `saveResponse` in the same transaction, so that a crash leaves both
 * the resource and its response, or neither.
 */
export interface IdempotencyRecord<T> extends KeyedRequest {
  readonly at: Date;
  render(created: T): StoredResponse;
}

/** Records older than 24 hours are ignored. */
export interface StoredResponses {
  find(
    request: Pick<KeyedRequest, 'caller' | 'key'>,
    at: Date,
  ): Promise<(StoredResponse & { readonly fingerprint: string }) | undefined>;
  deleteExpired(at: Date): Promise<void>;
}

export function createStoredResponses({ db }: Rows): StoredResponses {
  return {
    find: ({ caller, key }, at) =>
      db
        .selectFrom('answers')
        .select(['fingerprint', 'status', 'location', 'content_type as contentType', 'body'])
        .where('caller', '=', caller)
        .where('key', '=', key)
        .where('created_at', '>', expiry(at))
        .executeTakeFirst(),
    async deleteExpired(at) {
      await db.deleteFrom('answers').where('created_at', '<=', expiry(at)).execute();
    },
  };
}

export async function saveResponse<T>(
  trx: Transaction<Database>,
  record: IdempotencyRecord<T>,
  created: T,
): Promise<void> {
  const { caller, key, fingerprint, at } = record;
  const { status, location, contentType, body } = record.render(created);
  await trx
    .deleteFrom('answers')
    .where('caller', '=', caller)
    .where('key', '=', key)
    .where('created_at', '<=', expiry(at))
    .execute();
  await trx
    .insertInto('answers')
    .values({
      caller,
      key,
      fingerprint,
      created_at: at.toISOString(),
      status,
      location,
      content_type: contentType,
      body,
    })
    .execute();
}

/** Records created at this time or before have expired. */
function expiry(at: Date): string {
  return new Date(at.getTime() - RETENTION_MS).toISOString();
}
