/** Idempotency: executes a keyed request once and replays its stored response byte for byte. */
import { AtelierError } from '../../errors.ts';
import {
  AlreadyAnswered,
  type IdempotencyRecord,
  type KeyedRequest,
  type StoredResponse,
} from '../../store/idempotency.ts';
import type { Store } from '../../store/persistent-state.ts';

export type IdempotencyService = ReturnType<typeof createIdempotencyService>;

export function createIdempotencyService(store: Pick<Store, 'storedResponses'>, now = () => new Date()) {
  /** Requests in flight, by key and caller. */
  const inFlight = new Map<
    string,
    { fingerprint: string; earlier: ReturnType<typeof store.storedResponses.find> }
  >();

  async function respondFirst<T>(
    request: KeyedRequest,
    create: (record: IdempotencyRecord<T>) => Promise<T>,
    toResponse: (created: T) => StoredResponse,
  ): Promise<StoredResponse> {
    let stored: StoredResponse | undefined;
    await create({
      ...request,
      at: now(),
      render: (created) => {
        stored = toResponse(created);
        return stored;
      },
    });
    if (stored) return stored;
    throw new Error(`The resource created for the key ${request.key} was stored without its response.`);
  }

  return {
    /** Whether a response for this key is stored, or its request is in flight. */
    isKnown: async ({ caller, key }: Pick<KeyedRequest, 'caller' | 'key'>) =>
      inFlight.has(`${key} ${caller}`) ||
      (await store.storedResponses.find({ caller, key }, now())) !== undefined,
    /**
     * A successful response is stored in the transaction that creates the resource. A failure of `create` is not stored:
     * nothing was created, and the client may retry.
     * @param create passes `record` to the store; the store calls `toResponse` in the transaction
     * @throws AtelierError `request-in-flight`, `idempotency-key-reused`, and the errors of `create`
     */
    async respond<T>(
      request: KeyedRequest,
      create: (record: IdempotencyRecord<T>) => Promise<T>,
      toResponse: (created: T) => StoredResponse,
    ) {
      const { caller, key, fingerprint } = request;
      // A key contains no spaces, so the two parts cannot be confused.
      const id = `${key} ${caller}`;
      const other = inFlight.get(id);
      if (other && other.fingerprint !== fingerprint) throw reusedKeyError(key);
      const attempt = other ?? { fingerprint, earlier: store.storedResponses.find(request, now()) };
      if (!other) inFlight.set(id, attempt);
      try {
        // Concurrent repeats of the request share this lookup, so that each gets the stored response.
        const earlier = await attempt.earlier;
        if (earlier && earlier.fingerprint !== fingerprint) throw reusedKeyError(key);
        if (earlier) return { response: earlier, replayed: true };
        if (other) throw inFlightError(key);

        return { response: await respondFirst(request, create, toResponse), replayed: false };
      } catch (error) {
        if (!(error instanceof AlreadyAnswered)) throw error;
        // Another process has just stored its response.
        const stored = await store.storedResponses.find(request, now());
        if (!stored) throw inFlightError(key);
        if (stored.fingerprint !== fingerprint) throw reusedKeyError(key);
        return { response: stored, replayed: true };
      } finally {
        if (!other) inFlight.delete(id);
      }
    },
  };
}

function inFlightError(key: string): AtelierError {
  return new AtelierError(
    'request-in-flight',
    `The first request with the Idempotency-Key ${key} is still in progress. Repeat this request shortly to get its response.`,
    { retryAfterSeconds: 1 },
  );
}

function reusedKeyError(key: string): AtelierError {
  return new AtelierError(
    'idempotency-key-reused',
    `The Idempotency-Key ${key} was used in the last 24 hours for a request with another path or body. ` +
      'Repeat that request unchanged, or send this one with a new key.',
  );
}
