/** Storage: uploads, stored responses, webhooks to be sent, and what is deleted in time; and health. */

import { createUploadedDatasetService } from '../../services/datasets/uploads.ts';
import { createHealthService } from '../../services/operations/health.ts';
import { createIdempotencyService } from '../../services/operations/idempotency.ts';
import { createRetentionService } from '../../services/operations/retention.ts';
import { createStorageService } from '../../services/operations/storage.ts';
import { toBlockList } from '../../services/webhooks/addresses.ts';
import { createWebhookDelivery } from '../../services/webhooks/deliver.ts';
import type { Base } from './base.ts';
import type { Searches } from './searches.ts';

export function buildStorage(base: Base, { services: { searches } }: Searches) {
  const { config, log, store, cluster, catalog, memory, metrics, threads, waits, readStateSizes } = base;
  const { keepEventsDays, keepCheckpointsDays, keepJobsDays } = config;
  const retention = createRetentionService({
    retention: store.retention,
    tasks: [
      ...store.hourlyTasks,
      () => store.storedResponses.deleteExpired(new Date()),
      searches.finishDeletions,
    ],
    removeSearches: searches.removeEnded,
    keepEventsDays,
    keepCheckpointsDays,
    keepJobsDays,
    onDefect: (err) => log.error({ err }, 'failed to delete what is no longer kept'),
  });
  const webhooks = createWebhookDelivery({
    store,
    origins: config.webhookOrigins,
    allowed: toBlockList(config.webhookPrivateRanges),
    onResult: metrics.onWebhook,
    log,
    onDefect: (err) => log.error({ err }, 'failed to read or write the outbox of webhooks'),
  });
  return {
    retention,
    webhooks,
    services: {
      idempotency: createIdempotencyService(store),
      uploads: createUploadedDatasetService({
        datasets: store.datasets,
        catalog,
        checks: threads.checks,
        maxDatasetBytes: config.maxDatasetBytes,
        maxImagePixels: config.maxImagePixels,
        memory,
      }),
      storage: createStorageService({ readStateSizes, measureDatabase: store.measureDatabase }),
      health: createHealthService(store, catalog, {
        needsDatabase: cluster === null,
        needsDataset: config.dataDir !== null,
        waits,
        log,
      }),
    },
  };
}
