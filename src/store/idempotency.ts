/** First answers of requests that carry an Idempotency-Key, for those who repeat the request. */
import type { Kysely, Transaction } from 'kysely';
import type { Database } from './tables.ts';

const RETENTION_MS = 24 * 60 * 60 * 1000;

/** `key` is unique among those of its `caller`; `fingerprint` tells this request from others. */
export interface KeyedRequest {
  readonly caller: string;
  readonly key: string;
  readonly fingerprint: string;
}

/** As it goes over the wire, so that it is the same byte for byte however often, and whatever becomes of what it tells of. */
export interface StoredResponse {
  readonly status: number;
  readonly location: string | null;
  readonly contentType: string;
  readonly body: string;
}

/**
 * Handed down to whatever creates a `T`, which calls `keepAnswer` in the transaction that creates it: after a crash
 * there are both, or neither.
 */
export interface IdempotencyRecord<T> extends KeyedRequest {
  readonly at: Date;
  render(created: T): StoredResponse;
}

/** Those older than 24 hours are as if they were not there. */
export interface StoredResponses {
  find(
    request: Pick<KeyedRequest, 'caller' | 'key'>,
    at: Date,
  ): Promise<(StoredResponse & { readonly fingerprint: string }) | undefined>;
  deleteExpired(at: Date): Promise<void>;
}

export function createStoredResponses(db: Kysely<Database>): StoredResponses {
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

/** What was created then or before is kept no longer. */
function expiry(at: Date): string {
  return new Date(at.getTime() - RETENTION_MS).toISOString();
}
