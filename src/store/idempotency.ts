/** First answers of requests that carry an Idempotency-Key, for those who repeat the request. */
import type { Kysely, Transaction } from 'kysely';
import type { Database } from './tables.ts';

const KEPT_MS = 24 * 60 * 60 * 1000;

/** `key` is unique among those of its `caller`; `fingerprint` tells this request from others. */
export interface KeyedRequest {
  readonly caller: string;
  readonly key: string;
  readonly fingerprint: string;
}

/** As it goes over the wire, so that it is the same byte for byte however often, and whatever becomes of what it tells of. */
export interface Answer {
  readonly status: number;
  readonly location: string | null;
  readonly contentType: string;
  readonly body: string;
}

/**
 * Handed down to whatever creates a `T`, which calls `keepAnswer` in the transaction that creates it: after a crash
 * there are both, or neither.
 */
export interface Keep<T> extends KeyedRequest {
  readonly at: Date;
  answer(created: T): Answer;
}

/** Those older than 24 hours are as if they were not there. */
export interface Answers {
  find(
    request: Pick<KeyedRequest, 'caller' | 'key'>,
    at: Date,
  ): Promise<(Answer & { readonly fingerprint: string }) | undefined>;
  deleteExpired(at: Date): Promise<void>;
}

export function createAnswers(db: Kysely<Database>): Answers {
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

export async function keepAnswer<T>(trx: Transaction<Database>, keep: Keep<T>, created: T): Promise<void> {
  const { caller, key, fingerprint, at } = keep;
  const { status, location, contentType, body } = keep.answer(created);
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
  return new Date(at.getTime() - KEPT_MS).toISOString();
}
