/** The table of docs/reference/metrics.md, from the registry of the service. */
import { createMetrics } from '../../src/http/metrics/registry.ts';
import { table } from './table.ts';

/** Default metrics of prom-client. They describe the process. */
const DEFAULTS = /^(process|nodejs)_/;

export async function metrics(): Promise<string> {
  const registry = createMetrics({
    kernel: { name: '', digest: '' },
    queueLimit: 0,
    waitingForStorage: () => 0,
    readStateSizes: () => Promise.reject(new Error('There is no state directory.')),
    readJobs: async () => ({
      counts: new Map(),
      oldestQueuedAt: null,
      imagesPerSecond: 0,
      predictions: new Map(),
      pendingWebhooks: 0,
    }),
    slots: () => 0,
    modelCache: () => ({ hits: 0, misses: 0, evictions: 0, models: 0, bytes: 0 }),
  });
  const text = await registry.text();
  const rows = Array.from(text.matchAll(/^# HELP (\S+) (.+)\n# TYPE \S+ (\S+)$/gm))
    .filter(([, name]) => !DEFAULTS.test(name!))
    .map(([, name, help, type]) => [`\`${name}\``, type!, help!])
    .sort(([a], [b]) => a!.localeCompare(b!, 'en'));
  return table(['metric', 'type', 'meaning'], rows);
}
