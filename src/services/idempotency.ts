/** Idempotency: a request with a key is executed once, and its stored response is replayed byte for byte. */
import { AtelierError } from '../errors.ts';
import type { IdempotencyRecord, KeyedRequest, StoredResponse } from '../store/idempotency.ts';
import type { Store } from '../store/store.ts';

const DELETE_EVERY_MS = 60 * 60 * 1000;

export interface IdempotencyService {
  /**
   * A successful response is stored in the transaction that creates the resource. A failure of `create` is not stored:
   * nothing was created, and the client may retry.
   * @param create hands `keep` to the store, which calls `answer` in the transaction
   * @throws AtelierError `request-in-flight`, `idempotency-key-reused`, and whatever `create` throws
   */
  respond<T>(
    request: KeyedRequest,
    create: (keep: IdempotencyRecord<T>) => Promise<T>,
    answer: (created: T) => StoredResponse,
  ): Promise<{ readonly answer: StoredResponse; readonly replayed: boolean }>;
  /** Stops deleting expired responses. */
  close(): void;
}

/** @param options.onDefect called if expired responses could not be deleted; the next attempt follows within the hour */
export function createIdempotencyService(options: {
  store: Pick<Store, 'storedResponses'>;
  onDefect: (error: unknown) => void;
  now?: () => Date;
}): IdempotencyService {
  const { store, onDefect, now = () => new Date() } = options;
  /** Requests in flight, by key and caller. */
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
        // Shared by concurrent repetitions, so that each of them gets the stored response.
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
