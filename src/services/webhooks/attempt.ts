/** One attempt to send a message, and when the next one follows after a failure. */
import type { BlockList } from 'node:net';
import type { WebhookMessage } from '../../domain/jobs/webhook-message.ts';
import { timestamp } from '../../store/database/timestamps.ts';
import type { ClaimedMessage, DeliveryOutcome } from '../../store/webhooks/outbox.ts';
import { isAllowedOrigin } from './origins.ts';
import { postWebhook, WebhookFailure } from './post.ts';
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
const GONE = 410;

/**
 * @param options.origins WEBHOOK_ORIGINS
 * @param options.allowed ranges that may be reached although they are not public
 * @param options.signal breaks the attempt off
 * @param options.onDefect called with an error that is not the receiver's
 */
export async function attemptDelivery(
  message: ClaimedMessage,
  options: {
    origins: readonly string[];
    allowed: BlockList;
    signal: AbortSignal;
    delaysMs: readonly number[];
    onDefect: (error: unknown) => void;
  },
): Promise<DeliveryOutcome> {
  const { origins, allowed, signal, delaysMs, onDefect } = options;
  const delayMs = delaysMs[message.attempts - 1];
  try {
    const url = new URL(message.url);
    if (!isAllowedOrigin(url, origins))
      throw new WebhookFailure(`WEBHOOK_ORIGINS does not list ${url.origin}.`);
    const { data } = JSON.parse(message.body) as WebhookMessage;
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Atelier-Webhooks',
      ...(data.traceparent !== undefined && { traceparent: data.traceparent }),
      ...signMessage(message, new Date()),
    };
    const status = await postWebhook(url, headers, message.body, { allowed, signal });
    if (status >= 200 && status < 300) return { type: 'delivered', at: new Date(timestamp()) };
    return failed(describeStatus(status), status === GONE ? undefined : delayMs);
  } catch (error) {
    if (signal.aborted) return { type: 'interrupted', retryAt: new Date() };
    if (error instanceof WebhookFailure) return failed(error.message, delayMs);
    onDefect(error);
    return failed('Internal error.', delayMs);
  }
}

/** @param delayMs undefined if no attempt is left */
function failed(error: string, delayMs: number | undefined): DeliveryOutcome {
  const jitter = 1 + JITTER * (2 * Math.random() - 1);
  return {
    type: 'failed',
    error,
    retryAt: delayMs === undefined ? null : new Date(Date.now() + delayMs * jitter),
  };
}

function describeStatus(status: number): string {
  if (status === GONE) return 'The receiver responded with 410. No further attempt is made.';
  if (status >= 300 && status < 400)
    return `The receiver responded with ${status}. Redirects are not followed.`;
  return `The receiver responded with ${status}.`;
}
