/** Metrics of webhooks: finished attempts by result. */
import { Counter, type Registry } from 'prom-client';
import { DELIVERY_RESULTS, type DeliveryResult } from '../../services/webhooks/deliver.ts';

export type OnWebhook = (result: DeliveryResult) => void;

export function measureWebhooks(registry: Registry): OnWebhook {
  const attempts = new Counter({
    name: 'atelier_webhook_attempts_total',
    help: 'Finished attempts to send a webhook: delivered; failed, to be repeated; abandoned, without a further attempt.',
    labelNames: ['result'],
    registers: [registry],
  });
  for (const result of DELIVERY_RESULTS) attempts.inc({ result }, 0);
  return (result) => attempts.inc({ result });
}
