/** What was predicted, and where the time went, by model. */
import { Counter, type Registry } from 'prom-client';
import type { OnPredicted } from '../../services/predict.ts';
import type { PhaseMs } from '../../workers/messages.ts';

/** Labels are bounded: further versions are counted together, under a name that no model can have. */
const MAX_VERSIONS = 200;
const FURTHER = '_further';

const PHASES = ['wait', 'decode', 'compute', 'serialise'] as const satisfies readonly (keyof PhaseMs)[];

type Totals = { -readonly [phase in keyof PhaseMs]: number } & { requests: number; images: number };

/** Sums are kept here, and given to prom-client when they are asked for: a prediction takes no longer than that. */
export function measurePredictions(registry: Registry, maxVersions = MAX_VERSIONS): OnPredicted {
  const models = new Map<string, Map<number | string, Totals>>();
  let versions = 0;

  function totalsOf(name: string, version: number | string): Totals {
    const known = models.get(name)?.get(version);
    if (known) return known;
    if (versions >= maxVersions && name !== FURTHER) return totalsOf(FURTHER, FURTHER);
    versions++;
    const totals = { requests: 0, images: 0, wait: 0, decode: 0, compute: 0, serialise: 0 };
    models.set(name, (models.get(name) ?? new Map()).set(version, totals));
    return totals;
  }

  function count(
    name: string,
    help: string,
    labelNames: readonly string[],
    tell: (counter: Counter, labels: { model: string; version: string }, totals: Totals) => void,
  ): void {
    new Counter({
      name,
      help,
      labelNames: ['model', 'version', ...labelNames],
      registers: [registry],
      collect() {
        this.reset();
        for (const [model, byVersion] of models) {
          for (const [version, totals] of byVersion) tell(this, { model, version: String(version) }, totals);
        }
      },
    });
  }

  count('atelier_predictions_total', 'Images predicted.', [], (counter, labels, { images }) =>
    counter.inc(labels, images),
  );
  count(
    'atelier_prediction_requests_total',
    'Requests whose images were predicted.',
    [],
    (counter, labels, { requests }) => counter.inc(labels, requests),
  );
  count(
    'atelier_prediction_duration_seconds_total',
    'Time of these requests: wait for a thread, decode the body, compute, serialise the answer.',
    ['phase'],
    (counter, labels, totals) => {
      for (const phase of PHASES) counter.inc({ ...labels, phase }, totals[phase] / 1000);
    },
  );

  return ({ name, version }, images, ms) => {
    const totals = totalsOf(name, version);
    totals.requests++;
    totals.images += images;
    totals.wait += ms.wait;
    totals.decode += ms.decode;
    totals.compute += ms.compute;
    totals.serialise += ms.serialise;
  };
}
