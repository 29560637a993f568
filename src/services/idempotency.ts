/** Creates once what a request with a key asks for, however often the request comes. */
import { AtelierError } from '../errors.ts';
import type { IdempotencyRecord, KeyedRequest, StoredResponse } from '../store/idempotency.ts';
import type { Store } from '../store/store.ts';

const DELETE_EVERY_MS = 60 * 60 * 1000;

export interface IdempotencyService {
  /**
   * Success is kept with what it tells of. A failure of `create` is not: it created nothing, so that its request may be
   * tried again.
   * @param create hands `keep` to the store, which calls `answer` in the transaction
   * @throws AtelierError `request-in-flight`, `idempotency-key-reused`, and whatever `create` throws
   */
  respond<T>(
    request: KeyedRequest,
    create: (keep: IdempotencyRecord<T>) => Promise<T>,
    answer: (created: T) => StoredResponse,
  ): Promise<{ readonly answer: StoredResponse; readonly replayed: boolean }>;
  /** Deletes expired answers no more. */
  close(): void;
}

/** @param onDefect expired answers could not be deleted, which is tried again within the hour */
export function createIdempotencyService(options: {
  store: Pick<Store, 'storedResponses'>;
  onDefect: (error: unknown) => void;
  now?: () => Date;
}): IdempotencyService {
  const { store, onDefect, now = () => new Date() } = options;
  /** Requests in work, by key and caller. They die with the process, and so does their work. */
  const inFlight = new Map<
    string,
    { fingerprint: string; earlier: ReturnType<typeof store.storedResponses.find> }
  >();

  const deleteExpired = () => void store.storedResponses.deleteExpired(now()).catch(onDefect);
  deleteExpired();
  const deleting = setInterval(deleteExpired, DELETE_EVERY_MS).unref();

  return {
    async respond(request, create, answer) {
      const { caller, key, fingerprint } = request;
      // A key has no spaces.
      const id = `${key} ${caller}`;
      const other = inFlight.get(id);
      if (other && other.fingerprint !== fingerprint) throw reusedKeyError(key);
      const attempt = other ?? { fingerprint, earlier: store.storedResponses.find(request, now()) };
      if (!other) inFlight.set(id, attempt);
      try {
        // Shared: to look an answer up is no work, and whoever repeats an answered request meanwhile is to get it too.
        const earlier = await attempt.earlier;
        if (earlier && earlier.fingerprint !== fingerprint) throw reusedKeyError(key);
        if (earlier) return { answer: earlier, replayed: true };
        if (other) throw inFlightError(key);

        let kept: StoredResponse | undefined;
        await create({
          ...request,
          at: now(),
          render: (created) => {
            kept = answer(created);
            return kept;
          },
        });
        if (!kept) throw new Error(`what was created for the key ${key} is stored without its answer`);
        return { answer: kept, replayed: false };
      } finally {
        if (!other) inFlight.delete(id);
      }
    },
    close: () => clearInterval(deleting),
  };
}

function inFlightError(key: string): AtelierError {
  return new AtelierError(
    'request-in-flight',
    `The first request with the Idempotency-Key ${key} is not answered yet. Repeat this one shortly, to get its answer.`,
  );
}

function reusedKeyError(key: string): AtelierError {
  return new AtelierError(
    'idempotency-key-reused',
    `The Idempotency-Key ${key} was sent within 24 hours with another request: its path or body differs. ` +
      'Repeat that one as it was, or send this one with a new key.',
  );
}
