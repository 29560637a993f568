/** `notify` of a training job: where a webhook is sent, the secret that signs it, and the state of its delivery. */
import { z } from 'zod';

const SECRET_PREFIX = 'whsec_';
const SECRET_BYTES = { min: 24, max: 64 };

export const SECRET_RULE = `must be \`${SECRET_PREFIX}\` followed by ${SECRET_BYTES.min} to ${SECRET_BYTES.max} random bytes in base64; \`openssl rand -base64 32\` generates them`;
export const URL_RULE =
  'must be an http or https URL without credentials and without a fragment, such as https://hooks.example.org/atelier';

/** The key of the signature. @returns null if the secret is malformed */
export function decodeSecret(secret: string): Uint8Array | null {
  if (!secret.startsWith(SECRET_PREFIX)) return null;
  const text = secret.slice(SECRET_PREFIX.length);
  if (text.length % 4 !== 0 || !/^[A-Za-z\d+/]+={0,2}$/.test(text)) return null;
  // Also works in browsers, where the page takes types from here.
  const binary = atob(text);
  const isAllowed = binary.length >= SECRET_BYTES.min && binary.length <= SECRET_BYTES.max;
  // Decoding ignores spare bits of the last character, so the text is compared.
  return isAllowed && btoa(binary) === text ? Uint8Array.from(binary, (byte) => byte.charCodeAt(0)) : null;
}

function isWebhookUrl(text: string): boolean {
  if (!/^https?:\/\//i.test(text) || text.includes('#') || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}

/** The messages do not quote a secret, because they end up in logs. */
export const notifySchema = z
  .strictObject(
    {
      url: z
        .string()
        .max(2048)
        .refine(isWebhookUrl, URL_RULE)
        .describe('Receives a POST when the job has ended; its origin must be one of `WEBHOOK_ORIGINS`'),
      secret: z
        .string(SECRET_RULE)
        .max(128, SECRET_RULE)
        .refine((secret) => decodeSecret(secret) !== null, SECRET_RULE)
        .describe(
          `Signs the requests as in Standard Webhooks: \`${SECRET_PREFIX}\` and ${SECRET_BYTES.min} to ${SECRET_BYTES.max} bytes in base64. No response returns it`,
        ),
    },
    {
      error: ({ code }) =>
        code === 'invalid_type' ? 'must be an object with `url` and `secret`' : undefined,
    },
  )
  .meta({ id: 'Notify' });
export type Notify = z.output<typeof notifySchema>;

export const deliverySchema = z
  .object({
    url: z.string(),
    deliveredAt: z.string().nullable().describe('When the receiver accepted the last message'),
    attempts: z.int().describe('Number of attempts to send the last message, without one in progress'),
    lastError: z.string().nullable().describe('Why the last attempt failed; null after a success'),
    nextAttemptAt: z
      .string()
      .nullable()
      .describe(
        'When the message is sent next; null without a message, after its delivery, or if no attempt is left',
      ),
  })
  .meta({ id: 'NotifyState' });
export type DeliveryState = z.output<typeof deliverySchema>;

export const newDelivery = (url: string): DeliveryState => ({
  url,
  deliveredAt: null,
  attempts: 0,
  lastError: null,
  nextAttemptAt: null,
});
