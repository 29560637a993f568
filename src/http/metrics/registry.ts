/** Prometheus metrics: one registry per service, no global state. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import packageJson from '../../../package.json' with { type: 'json' };
import type { JobMeter } from '../../services/events/log.ts';
import type { ModelCacheCounts } from '../../services/models/cache.ts';
import { CLIENT_LIMITS, type OnLimit } from '../hooks/connections/client.ts';
import { measureDiagnoses, type OnDiagnosed } from './diagnoses.ts';
import { type JobSource, measureJobs } from './jobs.ts';
import { registerModelCacheMetrics } from './models.ts';
import { measurePredictions, type PredictionMetrics } from './predictions.ts';
import { measureReplicas, type ReplicaSource } from './replicas.ts';
import { createRequestMeter, type RequestMeter } from './requests.ts';
import { measureState, type StateSource } from './state.ts';
import { measureTables, type TableSource } from './table-gauges.ts';
import { measureWebhooks, type OnWebhook } from './webhooks.ts';

export const WORKER_KINDS = ['training', 'numeric', 'predict', 'dataset'] as const;
export type WorkerKind = (typeof WORKER_KINDS)[number];

/** Gauges of prom-client that are named like counters; each is the sum of the gauge without `_total`. */
const MISNAMED = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);

export interface Metrics {
  readonly requests: RequestMeter;
  readonly predictions: PredictionMetrics;
  /** Images were diagnosed outside a prediction. */
  readonly onDiagnosed: OnDiagnosed;
  onGradientCheck(passed: boolean): void;
  /** A thread crashed and was replaced. */
  onRestart(worker: WorkerKind): void;
  readonly onLimit: OnLimit;
  readonly jobs: JobMeter;
  /** An attempt to send a webhook has ended. */
  readonly onWebhook: OnWebhook;
  readonly contentType: string;
  /** Text format 0.0.4. Reads gauges from the database. If it is unreachable, they are absent after a second. */
  text(): Promise<string>;
}

export function createMetrics(
  options: TableSource &
    ReplicaSource &
    JobSource &
    StateSource & {
      readonly kernel: { readonly name: string; readonly digest: string };
      readonly modelCache: () => ModelCacheCounts;
    },
): Metrics {
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
  const checks = new Counter({
    name: 'atelier_gradient_checks_total',
    help: 'Completed gradient checks, by result.',
    labelNames: ['result'],
    registers,
  });
  for (const result of ['passed', 'failed']) checks.inc({ result }, 0);
  const restarts = new Counter({
    name: 'atelier_worker_restarts_total',
    help: 'Threads that crashed and were replaced.',
    labelNames: ['worker'],
    registers,
  });
  for (const worker of WORKER_KINDS) restarts.inc({ worker }, 0);
  const limited = new Counter({
    name: 'atelier_client_limits_total',
    help: 'Requests rejected and connections closed by a limit per client, or because a client reads too slowly.',
    labelNames: ['limit'],
    registers,
  });
  for (const limit of CLIENT_LIMITS) limited.inc({ limit }, 0);
  const onDiagnosed = measureDiagnoses(registry);
  registerModelCacheMetrics(registry, options.modelCache);
  measureReplicas(registry, options);
  measureState(registry, options);
  const startScrape = measureTables(registry, options);

  return {
    requests: createRequestMeter(registry),
    predictions: measurePredictions(registry, onDiagnosed),
    onDiagnosed,
    onGradientCheck: (passed) => checks.inc({ result: passed ? 'passed' : 'failed' }),
    onRestart: (worker) => restarts.inc({ worker }),
    onLimit: (limit) => limited.inc({ limit }),
    jobs: measureJobs(registry, options),
    onWebhook: measureWebhooks(registry),
    contentType: registry.contentType,
    text() {
      startScrape();
      return registry.metrics();
    },
  };
}
