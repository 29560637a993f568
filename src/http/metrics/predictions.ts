/** Metrics of predictions by model and version: requests, images, durations, classes and probabilities. */
import { Counter, type Registry } from 'prom-client';
import { isJobId, type VersionReference } from '../../domain/models/reference.ts';
import { JUDGEMENTS, type JudgementTally } from '../../numerics/calibration/judge.ts';
import type { PhaseMs } from '../../protocols/compute-response.ts';
import { TOP_PROBABILITY_BOUNDS } from '../../protocols/prediction-tally.ts';
import type { InferenceStatistics } from '../../services/predictions/inference-statistics.ts';
import type { OnPredicted, PredictionObserver } from '../../services/predictions/predict.ts';
import { CountedHistogram } from './counted-histogram.ts';
import type { OnDiagnosed } from './diagnoses.ts';
import { addJudged, addTally, countsByClass, emptyTotals, FURTHER, type OutputTotals } from './outputs.ts';

/** Limit of labelled versions, and of labelled classes of all versions; further ones are counted together. */
const MAX_VERSIONS = 200;
const MAX_CLASSES = 5000;
/** Checkpoints are counted together: their number grows without bound. */
const CHECKPOINT: Labels = { name: '_checkpoint', version: '' };

const PHASES = ['wait', 'decode', 'compute', 'serialise'] as const satisfies readonly (keyof PhaseMs)[];

interface Labels {
  readonly name: string;
  readonly version: number | string;
}
type Totals = { -readonly [phase in keyof PhaseMs]: number } & {
  requests: number;
  images: number;
  readonly outputs: OutputTotals;
};

/** Counts each prediction in the metrics and in the statistics of KServe v2. */
export const observePredictions = (
  metrics: Pick<ReturnType<typeof measurePredictions>, 'onPredicted'>,
  statistics: InferenceStatistics,
): PredictionObserver => ({
  onPredicted(model, images, ms, tally) {
    metrics.onPredicted(model, images, ms, tally);
    statistics.onPredicted(model, images, ms, tally);
  },
  onFailed: statistics.onFailed,
});

/** Keeps sums and passes them to prom-client on a scrape: updating its counters takes as long as a prediction. */
export function measurePredictions(
  registry: Registry,
  onDiagnosed: OnDiagnosed,
  { maxVersions = MAX_VERSIONS, maxClasses = MAX_CLASSES } = {},
) {
  const models = new Map<string, Map<number | string, Totals>>();
  let versions = 0;
  let labelledClasses = 0;

  function totalsFor({ name, version }: Labels, classes: number): Totals {
    const known = models.get(name)?.get(version);
    if (known) return known;
    if (isJobId(name)) return totalsFor(CHECKPOINT, classes);
    const isVersion = !name.startsWith('_');
    if (isVersion && versions >= maxVersions) return totalsFor({ name: FURTHER, version: FURTHER }, classes);
    // The classes of different models have nothing in common.
    const labelled = isVersion ? Math.min(classes, maxClasses - labelledClasses) : 0;
    if (isVersion) versions++;
    labelledClasses += labelled;
    const outputs = emptyTotals(labelled);
    const totals = { requests: 0, images: 0, wait: 0, decode: 0, compute: 0, serialise: 0, outputs };
    models.set(name, (models.get(name) ?? new Map()).set(version, totals));
    return totals;
  }

  function* all(): Generator<[model: string, version: string, Totals]> {
    for (const [model, byVersion] of models) {
      for (const [version, totals] of byVersion) yield [model, String(version), totals];
    }
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
        for (const [model, version, totals] of all()) writeTotals(this, { model, version }, totals);
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

  count(
    'atelier_predictions_by_class_total',
    'Images by predicted class, given as the index of its name in the classNames of the version.',
    ['class'],
    (counter, labels, { outputs }) => {
      for (const [label, images] of countsByClass(outputs)) counter.inc({ ...labels, class: label }, images);
    },
  );
  count(
    'atelier_judged_predictions_total',
    'Images of predictions and prediction jobs with a coverage, by judgement: sure, or why not.',
    ['judgement'],
    (counter, labels, { outputs: { judged } }) => {
      if (judged === null) return;
      for (const judgement of JUDGEMENTS) counter.inc({ ...labels, judgement }, judged.counts[judgement]);
    },
  );
  count(
    'atelier_expected_unsure_predictions_total',
    'Images of these that would be unsure if as many were as of the calibration images, at the same coverage.',
    [],
    (counter, labels, { outputs: { judged } }) => {
      if (judged !== null) counter.inc(labels, judged.expectedUnsure);
    },
  );
  new CountedHistogram(
    {
      name: 'atelier_prediction_top_probability',
      help: 'Highest probability of each image. If it falls over time, the images have become unlike the training images.',
      bounds: TOP_PROBABILITY_BOUNDS,
    },
    registry,
    function* readBuckets() {
      for (const [model, version, { outputs }] of all()) {
        yield { labels: { model, version }, counts: outputs.buckets, sum: outputs.probabilitySum };
      }
    },
  );

  return {
    onPredicted: ((model, images, ms, tally) => {
      const totals = totalsFor(model, tally.classes.length);
      totals.requests++;
      totals.images += images;
      totals.wait += ms.wait;
      totals.decode += ms.decode;
      totals.compute += ms.compute;
      totals.serialise += ms.serialise;
      addTally(totals.outputs, tally);
      if (tally.diagnosed !== null) onDiagnosed(tally.diagnosed);
    }) satisfies OnPredicted,
    /** Counts the judgements of a prediction job. Its images are not requests. */
    onJudged(model: VersionReference, classes: number, judged: JudgementTally): void {
      addJudged(totalsFor(model, classes).outputs, judged);
    },
    /** Removes deleted versions. This makes room for counting others by name. */
    forget(deleted: readonly VersionReference[]): void {
      for (const { name, version } of deleted) {
        const byVersion = models.get(name);
        const totals = byVersion?.get(version);
        if (byVersion === undefined || totals === undefined) continue;
        byVersion.delete(version);
        versions--;
        labelledClasses -= totals.outputs.classes.length;
        if (byVersion.size === 0) models.delete(name);
      }
    },
  };
}
