/** Estimates how long a search takes: predicts a few of its settings, and the others by the size of their networks. */
import type { Dataset } from '../../domain/datasets/representation.ts';
import type { TrainingPreview } from '../../domain/jobs/preview.ts';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import type { SearchPreview } from '../../domain/searches/representation.ts';
import type { SearchRequest } from '../../domain/searches/request.ts';
import { continuing, rungEpochs } from '../../domain/searches/rungs.ts';
import { modelledEpochSeconds } from '../preview/time-model.ts';
import { countImages } from '../training/examples.ts';

/** Each takes a few tenths of a second. */
const MAX_TIMED = 3;
/** Measured: fraction of the start of a training that is left in a kept thread, for the preparation of the data. */
const KEPT_START = 0.25;

/**
 * The estimate assumes that every slot works on the search, and no slot on anything else.
 * @param trainings of the trials, in their order
 * @param options.parallel trainings of the search that are queued or run at once
 * @param options.time predicts a training of all epochs
 */
export async function estimateSearchTime(
  request: Pick<SearchRequest, 'halving' | 'repeats' | 'final'>,
  trainings: readonly ResolvedTrainingRequest[],
  dataset: Dataset,
  options: {
    readonly parallel: number;
    readonly slots: number;
    readonly time: (training: ResolvedTrainingRequest) => Promise<TrainingPreview['time']>;
  },
): Promise<SearchPreview['time']> {
  const modelled = trainings.map((training) => modelledEpochSeconds(training, dataset));
  const timed: { modelled: number; seconds: number; start: number; low: number; high: number }[] = [];
  for (const n of spread(modelled)) {
    const training = trainings[n]!;
    const time = await options.time(training);
    timed.push({
      modelled: modelled[n]! * training.training.epochs,
      seconds: time.trainingSeconds + time.evaluationSeconds,
      start: time.startSeconds,
      low: time.low / time.seconds,
      high: time.high / time.seconds,
    });
  }
  const addUp = (key: keyof (typeof timed)[number]) => timed.reduce((sum, each) => sum + each[key], 0);
  const scale = addUp('seconds') / addUp('modelled');
  const start = addUp('start') / timed.length;
  const epochSeconds = modelled.map((seconds) => seconds * scale);
  const epochs = trainings.map(({ training }) => training.epochs);
  const seconds = trialSeconds(
    request,
    epochSeconds,
    epochs,
    start,
    Math.min(options.parallel, options.slots),
  );
  const whole = mean(epochSeconds.map((each, n) => each * epochs[n]!));
  const { trained } = countImages(trainings[0]!, dataset);
  const ofFinal = request.final.trainOn === 'everything' ? dataset.learning.labels.length : trained;
  return {
    seconds,
    low: (seconds * addUp('low')) / timed.length,
    high: (seconds * addUp('high')) / timed.length,
    finalSeconds: request.final.trainOn === null ? 0 : start + (whole * ofFinal) / trained,
    timedSettings: timed.length,
  };
}

/** Indices of the smallest, the median and the largest of different values. */
function spread(values: readonly number[]): number[] {
  const different = [...new Set(values)].toSorted((a, b) => a - b);
  const last = different.length - 1;
  const places = new Set(
    Array.from({ length: MAX_TIMED }, (_, n) => Math.round((n * last) / (MAX_TIMED - 1))),
  );
  return [...places].map((place) => values.indexOf(different[place]!));
}

/**
 * It is unknown which trials go on at a rung, so each of its trainings counts as an average one. A slot keeps its thread
 * for the next trial, so the start of a thread counts once for each slot.
 */
function trialSeconds(
  { halving, repeats }: Pick<SearchRequest, 'halving' | 'repeats'>,
  epochSeconds: readonly number[],
  epochs: readonly number[],
  start: number,
  atOnce: number,
): number {
  const among = (count: number) => Math.min(atOnce, count * repeats);
  const kept = KEPT_START * start;
  if (halving === null) {
    const each = epochSeconds.map((seconds, n) => kept + seconds * epochs[n]!);
    const total = repeats * each.reduce((sum, seconds) => sum + seconds, 0);
    return start - kept + total / among(epochs.length);
  }
  let [total, reached, trials] = [start - kept, 0, epochs.length];
  for (const rung of rungEpochs(halving, epochs[0]!)) {
    const each = kept + mean(epochSeconds) * (rung - reached);
    total += (trials * repeats * each) / among(trials);
    reached = rung;
    trials = continuing(trials, halving.factor);
  }
  return total;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
