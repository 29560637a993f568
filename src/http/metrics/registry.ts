/** Prometheus metrics: one registry per service, no global state. */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import packageJson from '../../../package.json' with { type: 'json' };
import type { ModelCacheCounts } from '../../services/models/cache.ts';
import { DELIVERY_RESULTS } from '../../services/webhooks/deliver.ts';
import type { ReadStateSizes } from '../../store/blobs/sizes.ts';
import { CLIENT_LIMITS } from '../hooks/connections/client.ts';
import { measureDiagnoses } from './diagnoses.ts';
import { countBy } from './instruments.ts';
import { type JobSource, measureJobs, measureRunning } from './jobs.ts';
import { registerModelCacheMetrics } from './models.ts';
import { measurePredictions } from './predictions.ts';
import { measureReplicas, type ReplicaSource } from './replicas.ts';
import { createRequestMeter } from './requests.ts';
import { measureState } from './state.ts';
import { measureTables, type TableSource } from './table-gauges.ts';

const WORKER_KINDS = ['training', 'numeric', 'predict', 'dataset'] as const;

/** Gauges of prom-client that are named like counters; each is the sum of the gauge without `_total`. */
const MISNAMED = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics(
  options: TableSource &
    ReplicaSource &
    JobSource & {
      readonly kernel: { readonly name: string; readonly digest: string };
      readonly readStateSizes: ReadStateSizes;
      readonly modelCache: () => ModelCacheCounts;
    },
) {
  const registry = new Registry();
  const registers = [registry];
  // CPU, memory, garbage collection, and event-loop delay since the last scrape, under the usual names.
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  const build = {
    version: packageJson.version,
    node: process.versions.node,
    kernel: options.kernel.name,
    kernel_digest: options.kernel.digest,
  };
  new Gauge({
    name: 'atelier_build_info',
    help: 'Versions of the service, in the labels; always 1.',
    labelNames: Object.keys(build),
    registers,
  }).set(build, 1);
  const countCheck = countBy(
    registry,
    'atelier_gradient_checks_total',
    'Completed gradient checks, by result.',
    'result',
    ['passed', 'failed'],
  );
  const onDiagnosed = measureDiagnoses(registry);
  registerModelCacheMetrics(registry, options.modelCache);
  measureReplicas(registry, options);
  measureState(registry, options.readStateSizes);
  const startScrape = measureTables(registry, options);

  return {
    requests: createRequestMeter(registry),
    predictions: measurePredictions(registry, onDiagnosed),
    /** Images were diagnosed outside a prediction. */
    onDiagnosed,
    onGradientCheck: (passed: boolean) => countCheck(passed ? 'passed' : 'failed'),
    /** A thread crashed and was replaced. */
    onRestart: countBy(
      registry,
      'atelier_worker_restarts_total',
      'Threads that crashed and were replaced.',
      'worker',
      WORKER_KINDS,
    ),
    onLimit: countBy(
      registry,
      'atelier_client_limits_total',
      'Requests rejected and connections closed by a limit per client, or because a client reads too slowly.',
      'limit',
      CLIENT_LIMITS,
    ),
    jobs: measureJobs(registry, options),
    watchQueues: measureRunning(registry),
    onWebhook: countBy(
      registry,
      'atelier_webhook_attempts_total',
      'Finished attempts to send a webhook: delivered; failed, to be repeated; abandoned, without a further attempt.',
      'result',
      DELIVERY_RESULTS,
    ),
    contentType: registry.contentType,
    /** Text format 0.0.4. Reads gauges from the database. If it is unreachable, they are absent after a second. */
    text(): Promise<string> {
      startScrape();
      return registry.metrics();
    },
  };
}
