/** Delivery of webhooks: sends due messages, and repeats failed attempts with increasing delays for a day. */
import { setMaxListeners } from 'node:events';
import type { BlockList } from 'node:net';
import { repeatedWork } from '../../queue/repeated-work.ts';
import type { Store } from '../../store/store.ts';
import type { ClaimedMessage, DeliveryOutcome } from '../../store/webhooks.ts';
import { isListed } from './origins.ts';
import { postWebhook, type ResolveName, WebhookFailure } from './post.ts';
import { signMessage } from './sign.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Delay after each failed attempt, in milliseconds; after one more failure the message is given up. */
export const RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  4 * HOUR_MS,
  8 * HOUR_MS,
  8 * HOUR_MS,
];
/** Part by which a delay is shortened or extended at random, so that many messages do not come back at once. */
const JITTER = 0.1;
/** Time after which another process sends a message whose sender has ended; longer than an attempt takes. */
const CLAIM_MS = 20 * SECOND_MS;
/** Longest time between two looks at the outbox: messages of a process that has ended come without a notice. */
const POLL_MS = 5 * SECOND_MS;
/** Messages that are sent at once, so that slow receivers delay few others. */
const MAX_SENDING = 16;
const GONE = 410;

export const DELIVERY_RESULTS = ['delivered', 'failed', 'abandoned'] as const;
export type DeliveryResult = (typeof DELIVERY_RESULTS)[number];

export interface WebhookDelivery {
  start(): void;
  /** Breaks attempts off; their messages are sent again later. */
  close(): Promise<void>;
}

/**
 * @param options.allowed ranges that may be reached although they are not public
 * @param options.onResult called for each finished attempt: `failed` if another one follows, `abandoned` if not
 * @param options.log receives a line per failed attempt, without the path of the URL, which may be confidential
 * @param options.onDefect called if the outbox cannot be read or written
 */
export function createWebhookDelivery(options: {
  store: Pick<Store, 'webhooks' | 'events'>;
  origins: readonly string[];
  allowed: BlockList;
  onResult: (result: DeliveryResult) => void;
  log: { warn(details: object, message: string): void };
  onDefect: (error: unknown) => void;
  delaysMs?: readonly number[];
  resolve?: ResolveName;
}): WebhookDelivery {
  const { store, origins, allowed, onResult, log, onDefect, delaysMs = RETRY_DELAYS_MS, resolve } = options;
  const sending = new Set<Promise<void>>();
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  let timer: NodeJS.Timeout | undefined;
  let pass: Promise<void> | undefined;
  let isRequested = false;
  let isStarted = false;

  async function attempt(message: ClaimedMessage): Promise<DeliveryOutcome> {
    try {
      const url = new URL(message.url);
      if (!isListed(url, origins)) throw new WebhookFailure(`WEBHOOK_ORIGINS does not list ${url.origin}.`);
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'Atelier-Webhooks',
        ...signMessage(message, new Date()),
      };
      const { signal } = closing;
      const status = await postWebhook(url, headers, message.body, {
        allowed,
        signal,
        ...(resolve && { resolve }),
      });
      if (status >= 200 && status < 300) return { type: 'delivered', at: new Date() };
      return failed(message, describeStatus(status), status !== GONE);
    } catch (error) {
      if (closing.signal.aborted) return { type: 'interrupted', retryAt: new Date() };
      if (!(error instanceof WebhookFailure)) onDefect(error);
      return failed(message, error instanceof WebhookFailure ? error.message : 'Internal error.', true);
    }
  }

  function failed({ attempts }: ClaimedMessage, error: string, mayRetry: boolean): DeliveryOutcome {
    const delay = mayRetry ? delaysMs[attempts - 1] : undefined;
    const jitter = 1 + JITTER * (2 * Math.random() - 1);
    return {
      type: 'failed',
      error,
      retryAt: delay === undefined ? null : new Date(Date.now() + delay * jitter),
    };
  }

  async function deliver(message: ClaimedMessage): Promise<void> {
    const outcome = await attempt(message);
    // Without the outcome, the message is sent again when its claim ends.
    await store.webhooks.record(message, outcome);
    if (outcome.type === 'interrupted') return;
    if (outcome.type === 'delivered') return onResult('delivered');
    onResult(outcome.retryAt === null ? 'abandoned' : 'failed');
    const { jobId, messageId, attempts, url } = message;
    const details = { jobId, messageId, attempts, origin: new URL(url).origin, reason: outcome.error };
    log.warn(details, outcome.retryAt === null ? 'webhook given up' : 'webhook failed, to be repeated');
  }

  const sendDue = repeatedWork(async () => {
    while (!closing.signal.aborted && sending.size < MAX_SENDING) {
      const now = Date.now();
      const message = await store.webhooks.claim(new Date(now), new Date(now + CLAIM_MS));
      if (message === undefined) break;
      const sent = deliver(message)
        .catch(onDefect)
        .then(() => {
          sending.delete(sent);
          wake();
        });
      sending.add(sent);
    }
    const due = sending.size < MAX_SENDING ? await store.webhooks.nextDue() : null;
    schedule(due === null ? POLL_MS : Math.min(POLL_MS, Math.max(0, due.getTime() - Date.now())));
  }, onDefect);

  function schedule(ms: number): void {
    clearTimeout(timer);
    if (!closing.signal.aborted) timer = setTimeout(wake, ms).unref();
  }

  /** Looks at the outbox once more, after the current look if there is one. */
  function wake(): void {
    if (closing.signal.aborted) return;
    isRequested = true;
    pass ??= (async () => {
      while (isRequested && !closing.signal.aborted) {
        isRequested = false;
        // In case of an error.
        schedule(POLL_MS);
        await sendDue();
      }
      pass = undefined;
    })();
  }

  store.events.onCommitted((_jobId, events) => {
    if (isStarted && events.some(({ type }) => type === 'status')) wake();
  });

  return {
    start() {
      // Without origins every attempt would fail, but another process, or this one later, may have some.
      isStarted = origins.length > 0;
      if (isStarted) wake();
    },
    async close() {
      closing.abort();
      clearTimeout(timer);
      await pass;
      await Promise.all(sending);
    },
  };
}

function describeStatus(status: number): string {
  if (status === GONE) return 'The receiver responded with 410: it wants no further messages.';
  if (status >= 300 && status < 400)
    return `The receiver responded with ${status}. Redirects are not followed.`;
  return `The receiver responded with ${status}.`;
}
