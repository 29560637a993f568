/** Signatures of webhooks, as in Standard Webhooks 1.0.0: HMAC-SHA256 of id, time and body. */
import { createHmac } from 'node:crypto';
import { decodeSecret } from '../../domain/jobs/notify.ts';

/**
 * Returns the headers of an attempt.
 * @param message.secret `whsec_…`
 * @throws RangeError if the secret is malformed
 */
export function signMessage(
  { messageId, body, secret }: { messageId: string; body: string; secret: string },
  at: Date,
): Record<string, string> {
  const key = decodeSecret(secret);
  if (key === null) throw new RangeError('The secret of the webhook is malformed.');
  const seconds = Math.floor(at.getTime() / 1000);
  const signature = createHmac('sha256', key).update(`${messageId}.${seconds}.${body}`).digest('base64');
  return {
    'webhook-id': messageId,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  };
}
