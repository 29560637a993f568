/** Delivery of webhooks: claims due messages, sends them, and stores the outcomes. */
import { setMaxListeners } from 'node:events';
import type { BlockList } from 'node:net';
import { createPasses } from '../../queue/passes.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { ClaimedMessage } from '../../store/webhooks/outbox.ts';
import { attemptDelivery, RETRY_DELAYS_MS } from './attempt.ts';

/** Time after which another process sends a message whose sender has ended; longer than an attempt takes. */
const CLAIM_MS = 20_000;
/** Longest time between two looks at the outbox: messages of a process that has ended come without a notice. */
const POLL_MS = 5_000;
/** Messages that are sent at once, so that slow receivers delay few others. */
const MAX_SENDING = 16;

export const DELIVERY_RESULTS = ['delivered', 'failed', 'abandoned'] as const;
export type DeliveryResult = (typeof DELIVERY_RESULTS)[number];

/**
 * @param options.origins WEBHOOK_ORIGINS
 * @param options.allowed ranges that may be reached although they are not public
 * @param options.onResult called for each finished attempt: `failed` if another one follows, `abandoned` if not
 * @param options.log receives a line per failed attempt, without the path of the URL: it may be confidential
 * @param options.onDefect called if the outbox cannot be read or written
 * @param options.delaysMs delay after each failed attempt
 */
export function createWebhookDelivery(options: {
  store: Pick<Store, 'webhooks' | 'events'>;
  origins: readonly string[];
  allowed: BlockList;
  onResult: (result: DeliveryResult) => void;
  log: { warn(details: object, message: string): void };
  onDefect: (error: unknown) => void;
  delaysMs?: readonly number[];
}) {
  const { store, origins, allowed, onResult, log, onDefect, delaysMs = RETRY_DELAYS_MS } = options;
  const sending = new Set<Promise<void>>();
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  let timer: NodeJS.Timeout | undefined;
  let isStarted = false;

  async function deliver(message: ClaimedMessage): Promise<void> {
    const outcome = await attemptDelivery(message, {
      origins,
      allowed,
      signal: closing.signal,
      delaysMs,
      onDefect,
    });
    // Without the outcome, the message is sent again when its claim ends.
    await store.webhooks.record(message, outcome);
    if (outcome.type === 'interrupted') return;
    if (outcome.type === 'delivered') return onResult('delivered');
    onResult(outcome.retryAt === null ? 'abandoned' : 'failed');
    const { jobId, messageId, attempts, url } = message;
    const details = { jobId, messageId, attempts, origin: new URL(url).origin, reason: outcome.error };
    log.warn(details, outcome.retryAt === null ? 'webhook given up' : 'webhook failed, to be repeated');
  }

  /** Looks at the outbox. */
  const passes = createPasses(async () => {
    // In case of an error.
    schedule(POLL_MS);
    while (!closing.signal.aborted && sending.size < MAX_SENDING) {
      const now = Date.now();
      const message = await store.webhooks.claim(new Date(now), new Date(now + CLAIM_MS));
      if (message === undefined) break;
      const sent = deliver(message)
        .catch(onDefect)
        .then(() => {
          sending.delete(sent);
          passes.request();
        });
      sending.add(sent);
    }
    const due = sending.size < MAX_SENDING ? await store.webhooks.nextDue() : null;
    schedule(due === null ? POLL_MS : Math.min(POLL_MS, Math.max(0, due.getTime() - Date.now())));
  }, onDefect);

  function schedule(ms: number): void {
    clearTimeout(timer);
    if (!closing.signal.aborted) timer = setTimeout(passes.request, ms).unref();
  }

  store.events.onCommitted((_jobId, events) => {
    if (isStarted && events.some(({ type }) => type === 'status')) passes.request();
  });

  return {
    start() {
      // Without origins every attempt would fail, but another process, or this one later, may have some.
      isStarted = origins.length > 0;
      if (isStarted) passes.request();
    },
    /** Breaks attempts off; their messages are sent again later. */
    async close() {
      closing.abort();
      clearTimeout(timer);
      await passes.close();
      await Promise.all(sending);
    },
  };
}
