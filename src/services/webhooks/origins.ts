/** Origins to which webhooks may be sent, from WEBHOOK_ORIGINS. */
import type { Notify } from '../../domain/jobs/notify.ts';
import { AtelierError } from '../../errors.ts';

/** Deliveries ask again, because the service may have been restarted with another list. */
export function isAllowedOrigin({ origin }: URL, origins: readonly string[]): boolean {
  return origins.includes(origin);
}

/**
 * @param origins WEBHOOK_ORIGINS
 * @throws AtelierError `webhook-not-allowed`
 */
export function assertWebhookAllowed({ url }: Notify, origins: readonly string[]): void {
  const { origin } = new URL(url);
  if (origins.includes(origin)) return;
  const [message, detail] =
    origins.length === 0
      ? [
          `Webhooks are switched off. The operator of the service allows them by setting WEBHOOK_ORIGINS, for example to ${origin}.`,
          'is not allowed, because the service allows no origins',
        ]
      : [
          `Webhooks to ${origin} are not allowed. WEBHOOK_ORIGINS allows ${origins.join(', ')}.`,
          `must have one of the origins ${origins.join(', ')}, but has ${origin}`,
        ];
  throw new AtelierError('webhook-not-allowed', message, { details: [{ pointer: '#/notify/url', detail }] });
}
