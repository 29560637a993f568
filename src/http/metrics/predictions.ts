/** Metrics of predictions: requests, images and durations by model and version. */
import { Counter, type Registry } from 'prom-client';
import { isJobId, type VersionReference } from '../../domain/model-reference.ts';
import type { OnPredicted } from '../../services/predictions.ts';
import type { PhaseMs } from '../../workers/messages.ts';

/** Limit of labelled versions; further ones are counted together, under a name that is not a valid model name. */
const MAX_VERSIONS = 200;
const FURTHER = '_further';
/** Checkpoints are counted together: their number grows without bound. */
const CHECKPOINT: Labels = { name: '_checkpoint', version: '' };

const PHASES = ['wait', 'decode', 'compute', 'serialise'] as const satisfies readonly (keyof PhaseMs)[];

interface Labels {
  readonly name: string;
  readonly version: number | string;
}
type Totals = { -readonly [phase in keyof PhaseMs]: number } & { requests: number; images: number };

export interface PredictionMetrics {
  readonly onPredicted: OnPredicted;
  /** Removes deleted versions, which makes room for counting others by name. */
  forget(deleted: readonly VersionReference[]): void;
}

/** Keeps sums and passes them to prom-client on a scrape: updating its counters takes as long as a prediction. */
export function measurePredictions(registry: Registry, maxVersions = MAX_VERSIONS): PredictionMetrics {
  const models = new Map<string, Map<number | string, Totals>>();
  let versions = 0;

  function totalsFor({ name, version }: Labels): Totals {
    const known = models.get(name)?.get(version);
    if (known) return known;
    if (isJobId(name)) return totalsFor(CHECKPOINT);
    const isVersion = !name.startsWith('_');
    if (isVersion && versions >= maxVersions) return totalsFor({ name: FURTHER, version: FURTHER });
    if (isVersion) versions++;
    const totals = { requests: 0, images: 0, wait: 0, decode: 0, compute: 0, serialise: 0 };
    models.set(name, (models.get(name) ?? new Map()).set(version, totals));
    return totals;
  }

  function count(
    name: string,
    help: string,
    labelNames: readonly string[],
    writeTotals: (counter: Counter, labels: { model: string; version: string }, totals: Totals) => void,
  ): void {
    new Counter({
      name,
      help,
      labelNames: ['model', 'version', ...labelNames],
      registers: [registry],
      collect() {
        this.reset();
        for (const [model, byVersion] of models) {
          for (const [version, totals] of byVersion)
            writeTotals(this, { model, version: String(version) }, totals);
        }
      },
    });
  }

  count('atelier_predictions_total', 'Images predicted.', [], (counter, labels, { images }) =>
    counter.inc(labels, images),
  );
  count(
    'atelier_prediction_requests_total',
    'Successful prediction requests.',
    [],
    (counter, labels, { requests }) => counter.inc(labels, requests),
  );
  count(
    'atelier_prediction_duration_seconds_total',
    'Time of successful prediction requests, by phase: wait for a thread, decode, compute, serialize.',
    ['phase'],
    (counter, labels, totals) => {
      for (const phase of PHASES) counter.inc({ ...labels, phase }, totals[phase] / 1000);
    },
  );

  return {
    onPredicted(model, images, ms) {
      const totals = totalsFor(model);
      totals.requests++;
      totals.images += images;
      totals.wait += ms.wait;
      totals.decode += ms.decode;
      totals.compute += ms.compute;
      totals.serialise += ms.serialise;
    },
    forget(deleted) {
      for (const { name, version } of deleted) {
        const byVersion = models.get(name);
        if (byVersion?.delete(version)) versions--;
        if (byVersion?.size === 0) models.delete(name);
      }
    },
  };
}
