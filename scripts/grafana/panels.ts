/** The panels of the dashboard, row by row. `$__rate_interval` is Grafana's: at least four scrapes. */

export interface Panel {
  readonly title: string;
  /** As Grafana names it. */
  readonly unit: string;
  /** Pairs of an expression and the legend of its lines. */
  readonly queries: readonly (readonly [expression: string, legend: string])[];
  readonly description?: string;
  readonly stacked?: boolean;
}

const JOB = 'job="atelier"';
const REQUESTS = 'atelier_http_request_duration_seconds';
const perSecond = (metric: string, labels: string, selector = '') =>
  `sum by (${labels}) (rate(${metric}{${JOB}${selector && `,${selector}`}}[$__rate_interval]))`;
const quantile = (q: number, labels: string) =>
  `histogram_quantile(${q}, ${perSecond(`${REQUESTS}_bucket`, labels)})`;
/** Gauges that are the same on every replica. */
const shared = (metric: string, labels = '') => `max by (${labels}) (${metric}{${JOB}})`;
const OF_MODEL = 'model=~"$model"';

export const ROWS: Readonly<Record<string, readonly Panel[]>> = {
  Requests: [
    {
      title: 'Requests by route',
      unit: 'reqps',
      queries: [[perSecond(`${REQUESTS}_count`, 'route'), '{{route}}']],
      stacked: true,
    },
    {
      title: 'Latency',
      unit: 's',
      description: 'Streams of events, and requests that wait for a job, are not included.',
      queries: [
        [quantile(0.5, 'le'), 'median'],
        [quantile(0.99, 'le'), 'p99'],
      ],
    },
    {
      title: 'Latency by route, p99',
      unit: 's',
      queries: [[quantile(0.99, 'le, route'), '{{route}}']],
    },
    {
      title: 'Errors',
      unit: 'reqps',
      queries: [
        [perSecond(`${REQUESTS}_count`, 'route, status', 'status=~"[45].."'), '{{status}} {{route}}'],
      ],
    },
    {
      title: 'Open streams',
      unit: 'short',
      queries: [[`sum by (kind) (atelier_http_streams{${JOB}})`, '{{kind}}']],
    },
    {
      title: 'Limits per client',
      unit: 'reqps',
      description: 'Rejected requests and closed connections.',
      queries: [[perSecond('atelier_client_limits_total', 'limit'), '{{limit}}']],
    },
  ],
  Predictions: [
    {
      title: 'Images by version',
      unit: 'ops',
      queries: [
        [perSecond('atelier_predictions_total', 'model, version', OF_MODEL), '{{model}} {{version}}'],
      ],
      stacked: true,
    },
    {
      title: 'Predictions by class',
      unit: 'ops',
      description:
        'The class is an index into classNames of the version. Fractions that shift hint at drift.',
      queries: [
        [perSecond('atelier_predictions_by_class_total', 'model, class', OF_MODEL), '{{model}} {{class}}'],
      ],
      stacked: true,
    },
    {
      title: 'Mean of the highest probability',
      unit: 'percentunit',
      queries: [
        [
          `${perSecond('atelier_prediction_top_probability_sum', 'model, version', OF_MODEL)} / ` +
            perSecond('atelier_prediction_top_probability_count', 'model, version', OF_MODEL),
          '{{model}} {{version}}',
        ],
      ],
    },
    {
      title: 'Unsure predictions',
      unit: 'percentunit',
      description:
        'Fraction of the images with a coverage that are unsure, by reason, and of the calibration images.',
      queries: [
        [
          `${perSecond('atelier_judged_predictions_total', 'model, version, judgement', `${OF_MODEL},judgement!="sure"`)} / ` +
            `on (model, version) group_left ${perSecond('atelier_judged_predictions_total', 'model, version', OF_MODEL)}`,
          '{{model}} {{version}} {{judgement}}',
        ],
        [
          `${perSecond('atelier_expected_unsure_predictions_total', 'model, version', OF_MODEL)} / ` +
            perSecond('atelier_judged_predictions_total', 'model, version', OF_MODEL),
          '{{model}} {{version}} calibration',
        ],
      ],
    },
    {
      title: 'Time by phase',
      unit: 's',
      description: 'Mean of successful requests.',
      queries: [
        [
          `${perSecond('atelier_prediction_duration_seconds_total', 'phase')} / on () group_left ` +
            perSecond('atelier_prediction_requests_total', ''),
          '{{phase}}',
        ],
      ],
      stacked: true,
    },
  ],
  Training: [
    { title: 'Jobs', unit: 'short', queries: [[shared('atelier_jobs', 'status'), '{{status}}']] },
    {
      title: 'Ended jobs',
      unit: 'short',
      queries: [
        [`sum by (result) (increase(atelier_jobs_ended_total{${JOB}}[$__rate_interval]))`, '{{result}}'],
      ],
    },
    {
      title: 'Training images per second',
      unit: 'ops',
      queries: [[shared('atelier_training_images_per_second'), 'images']],
    },
    {
      title: 'Queue',
      unit: 'short',
      queries: [
        [shared('atelier_queue_depth'), 'queued'],
        [shared('atelier_queue_limit'), 'limit'],
      ],
    },
    {
      title: 'Oldest queued job',
      unit: 's',
      queries: [[shared('atelier_queue_oldest_seconds'), 'waits for']],
    },
    { title: 'Slots', unit: 'short', queries: [[shared('atelier_training_slots', 'state'), '{{state}}']] },
    {
      title: 'Running jobs by replica',
      unit: 'short',
      queries: [[`atelier_running_jobs{${JOB}}`, '{{instance}} {{kind}}']],
    },
  ],
  Process: [
    {
      title: 'Memory',
      unit: 'bytes',
      queries: [
        [`process_resident_memory_bytes{${JOB}}`, '{{instance}}'],
        [`atelier_model_cache_bytes{${JOB}}`, '{{instance}} models'],
      ],
    },
    {
      title: 'Event loop delay, p99',
      unit: 's',
      queries: [[`nodejs_eventloop_lag_p99_seconds{${JOB}}`, '{{instance}}']],
    },
    {
      title: 'Processors',
      unit: 'short',
      queries: [[perSecond('process_cpu_seconds_total', 'instance'), '{{instance}}']],
    },
    {
      title: 'Crashed threads',
      unit: 'short',
      queries: [
        [`sum by (worker) (increase(atelier_worker_restarts_total{${JOB}}[$__rate_interval]))`, '{{worker}}'],
      ],
    },
  ],
  Storage: [
    {
      title: 'State by kind',
      unit: 'bytes',
      queries: [[`sum by (kind) (atelier_state_bytes{${JOB}})`, '{{kind}}']],
      stacked: true,
    },
    {
      title: 'Free bytes',
      unit: 'bytes',
      queries: [[`atelier_state_free_bytes{${JOB}}`, '{{instance}}']],
    },
    {
      title: 'Jobs that wait for storage',
      unit: 'short',
      queries: [[`sum(atelier_jobs_waiting_for_storage{${JOB}})`, 'jobs']],
    },
    {
      title: 'Replicas',
      unit: 'short',
      queries: [
        [shared('atelier_replicas'), 'replicas'],
        [`sum(atelier_database_up{${JOB}})`, 'reach the database'],
      ],
    },
  ],
};

/** The expressions of all panels as Prometheus evaluates them: with values for Grafana's variables. */
export function panelExpressions(): string[] {
  return Object.values(ROWS)
    .flat()
    .flatMap(({ queries }) => queries.map(([expression]) => expression))
    .map((expression) => expression.replaceAll('$__rate_interval', '5m').replaceAll('$model', '.*'));
}
