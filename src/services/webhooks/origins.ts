/** Origins to which webhooks may be sent, from WEBHOOK_ORIGINS. */
import type { Notify } from '../../domain/jobs/notify.ts';
import { AtelierError } from '../../errors.ts';

export function isListed({ origin }: URL, origins: readonly string[]): boolean {
  return origins.includes(origin);
}

/**
 * @param origins WEBHOOK_ORIGINS
 * @throws AtelierError `webhook-not-allowed`
 */
export function assertWebhookAllowed({ url }: Notify, origins: readonly string[]): void {
  const asked = new URL(url);
  if (isListed(asked, origins)) return;
  const detail =
    origins.length === 0
      ? 'is not allowed, because the service allows no origins'
      : `must have one of the origins ${origins.join(', ')}, but has ${asked.origin}`;
  throw new AtelierError(
    'webhook-not-allowed',
    origins.length === 0
      ? `Webhooks are switched off. The operator of the service allows them by setting WEBHOOK_ORIGINS, for example to ${asked.origin}.`
      : `Webhooks to ${asked.origin} are not allowed. WEBHOOK_ORIGINS allows ${origins.join(', ')}.`,
    { details: [{ pointer: '#/notify/url', detail }] },
  );
}
