/** Predicts how long a training takes: from similar trainings, and steps that are timed now. */

import { LRUCache } from 'lru-cache';
import type { Dataset } from '../../domain/datasets/representation.ts';
import type { EpochRecord } from '../../domain/jobs/epoch-record.ts';
import type { TrainingPreview } from '../../domain/jobs/preview.ts';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import { architectureOf } from '../../domain/models/architecture.ts';
import { hasCode } from '../../errors.ts';
import { type Architecture, GROUP_CHANNELS, parameterCount } from '../../numerics/network/architecture.ts';
import { evaluationMicroseconds, trainingMicroseconds } from '../../numerics/training/kernel-time.ts';
import { resolvedTeachers } from '../../store/models/versions.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { NumericPool } from '../../workers/pools.ts';
import type { TrainingTimes, TrainingTimesTask } from '../../workers/tasks/time-training.ts';
import { createCoalescingCache } from '../inspection/coalesce.ts';
import { architectureFor, buildTrainingPlan } from '../training/plan.ts';
import type { HasTargets } from '../training/teachers.ts';
import { usableThreads } from '../training/usable-threads.ts';
import {
  epochMs,
  gradientCheckSeconds,
  modelledEpochSeconds,
  modelledTimes,
  startSeconds,
  type Training,
  totalMs,
  trainedCount,
} from './time-model.ts';

type Time = TrainingPreview['time'];

/** Earlier trainings are compared if their epochs take at most so many times longer or shorter. */
const SIMILAR = 4;

/** Larger networks are timed with fewer units, because their memory and their first step take too long. */
const MAX_TIMED_PARAMETERS = 2_000_000;
/** Longest step that is timed, in microseconds by the model. */
const MAX_TIMED_STEP = 60_000;
/** Any mean and deviation: the time does not depend on them. */
const STANDARDIZATION = { mean: 0.3, std: 0.35 };
/** Number of kept timings; each takes a few tenths of a second. */
const MAX_CACHED = 256;

const MAX_JOBS = 50;
const MAX_EPOCHS = 20;
const EPOCHS_PER_JOB = 5;
/** Different settings among the earlier jobs that are timed to compare with them. */
const MAX_SETTINGS = 3;

/**
 * If the ratio of actual to predicted durations is lower, steps are timed again: a training is not faster than steps that
 * nothing disturbs.
 */
const DISTURBED = 0.85;

/** Range of the estimate without enough earlier epochs. */
const RANGES = { calibrated: [0.8, 1.25], model: [0.4, 2.5] } as const;
const MIN_EPOCHS = 5;

/** The start of the threads and the end of a training differ from the estimate by up to so much, however short it is. */
const UNCERTAIN_SECONDS = 0.25;

/** @throws `signal.reason` once it aborts */
export type PredictTrainingTime = (
  request: ResolvedTrainingRequest,
  dataset: Dataset,
  signal: AbortSignal,
) => Promise<Time>;

export function createTrainingTimes({
  jobs,
  models,
  epochRecords,
  numeric,
  hasTargets,
}: {
  models: Pick<Store['models'], 'version'>;
  jobs: Pick<Store['jobs'], 'list'>;
  epochRecords: Pick<Store['epochRecords'], 'list'>;
  numeric: NumericPool;
  hasTargets: HasTargets;
}): PredictTrainingTime {
  const coalesce = createCoalescingCache<TrainingTimes>(MAX_CACHED);
  /** Keys of settings that were timed again. */
  const repeated = new LRUCache<string, true>({ max: MAX_CACHED });

  /** null if the service is too busy to time anything. */
  async function time(
    request: Training,
    dataset: Dataset,
    signal: AbortSignal,
  ): Promise<TrainingTimes | null> {
    const task = buildTimingTask(request, dataset);
    try {
      const key = timingKey(task, dataset);
      const timed = await coalesce(repeated.has(key) ? `${key} again` : key, signal, (abort) =>
        numeric.run('timeTraining', task, abort),
      );
      return scaleUp(timed, architectureFor(request.network, dataset), task.plan.architecture);
    } catch (error) {
      if (hasCode(error, 'overloaded')) return null;
      throw error;
    }
  }

  /** Ratios of actual to predicted durations of the last similar epochs on the same data set with as many threads. */
  async function compareEarlier(request: Training, dataset: Dataset, signal: AbortSignal) {
    const threads = usableThreads(request.training.threads);
    const modelled = modelledEpochSeconds(request, dataset);
    const { data } = await jobs.list({ dataset: dataset.id, limit: MAX_JOBS });
    const timings = new Map<string, TrainingTimes | null>();
    const compared = { ratios: [] as number[], jobs: 0 };
    for (const job of data) {
      if (usableThreads(job.training.threads) !== threads || job.latest === null) continue;
      const similarity = modelledEpochSeconds(job, dataset) / modelled;
      if (similarity > SIMILAR || similarity < 1 / SIMILAR) continue;
      const settings = timingKey(buildTimingTask(job, dataset), dataset);
      if (!timings.has(settings)) {
        if (timings.size === MAX_SETTINGS) continue;
        timings.set(settings, await time(job, dataset, signal));
      }
      const records = await lastEpochs(job, job.latest);
      const compare = (times: TrainingTimes) => {
        const expected = totalMs(epochMs(job, dataset, times));
        return ascending(records.map((record) => (record.durationMs + record.evaluationMs) / expected));
      };
      let times = timings.get(settings);
      if (times && !repeated.has(settings) && quantile(compare(times), 0.5) < DISTURBED) {
        repeated.set(settings, true);
        times = await time(job, dataset, signal);
        timings.set(settings, times);
      }
      if (!times) continue;
      compared.ratios.push(...compare(times));
      compared.jobs++;
      if (compared.ratios.length >= MAX_EPOCHS) break;
    }
    return { jobs: compared.jobs, ratios: ascending(compared.ratios.slice(0, MAX_EPOCHS)) };
  }

  /** The teachers predict every training image once, unless a training before this one has needed the same ones. */
  async function teachersSeconds(request: Training, dataset: Dataset, signal: AbortSignal): Promise<number> {
    const teachers = resolvedTeachers(request.training);
    const found = await Promise.all(teachers.map(({ name, version }) => models.version(name, version)));
    const versions = found.filter((version) => version !== undefined);
    if (hasTargets(dataset, versions)) return 0;
    let microseconds = 0;
    for (const version of versions) {
      const architecture = architectureOf(version);
      const network = {
        ...request.network,
        convolutions: architecture.convolutions.map((stage) => [...stage]),
        norm: version.norm,
        hidden: [...architecture.hidden],
        activation: version.activation,
      };
      const times = await time({ ...request, network }, dataset, signal);
      microseconds += times?.evaluation ?? evaluationMicroseconds(architecture);
    }
    return (dataset.learning.labels.length * microseconds) / 1e6;
  }

  /** The first epoch is left out if others exist: its code does not run at full speed from the start. */
  function lastEpochs({ id }: TrainingJob, { epoch }: EpochRecord): Promise<EpochRecord[]> {
    return epochRecords.list(id, Math.max(epoch - EPOCHS_PER_JOB, epoch > 1 ? 1 : 0));
  }

  return async (request, dataset, signal) => {
    const architecture = architectureFor(request.network, dataset);
    const compared = await compareEarlier(request, dataset, signal);
    // Afterwards, because the comparison may have found that the same steps must be timed again.
    const timed = await time(request, dataset, signal);
    const times = timed ?? modelledTimes(request, dataset);
    const earlier = timed === null ? { jobs: 0, ratios: [] } : compared;
    const { ratios } = earlier;
    const ratio = ratios.length === 0 ? 1 : quantile(ratios, 0.5);
    const kind = timed === null ? 'model' : ratios.length === 0 ? 'calibrated' : 'measured-here';
    const range =
      ratios.length < MIN_EPOCHS
        ? RANGES[kind === 'model' ? 'model' : 'calibrated']
        : [quantile(ratios, 0.1) / ratio, quantile(ratios, 0.9) / ratio];
    const epoch = epochMs(request, dataset, times);
    const { epochs, budget } = request.training;
    const once = request.testSet === 'once' ? (dataset.test.labels.length * times.evaluation) / 1000 : 0;
    const trainingSeconds = (ratio * epochs * epoch.steps) / 1000;
    const evaluationSeconds = (ratio * (epochs * epoch.evaluation + once)) / 1000;
    // Other work on the machine slows these down as much as the epochs.
    const checkSeconds = request.gradientCheck ? ratio * gradientCheckSeconds(architecture) : 0;
    const ownSeconds = ratio * startSeconds(architecture, request.training);
    const teacherSeconds = ratio * (await teachersSeconds(request, dataset, signal));
    // Earlier epochs say nothing about the teachers, which are as uncertain as anything that is only timed.
    const total = (factor: number, ofTeachers: number) => {
      const epochsSeconds = factor * (trainingSeconds + evaluationSeconds);
      const beforeSeconds = ownSeconds + ofTeachers * teacherSeconds;
      return beforeSeconds + checkSeconds + Math.min(epochsSeconds, budget?.seconds ?? epochsSeconds);
    };
    const [low, high] = RANGES.calibrated;
    return {
      seconds: total(1, 1),
      low: Math.max(0, total(range[0]!, Math.min(range[0]!, low)) - UNCERTAIN_SECONDS),
      high: total(range[1]!, Math.max(range[1]!, high)) + UNCERTAIN_SECONDS,
      trainingSeconds,
      evaluationSeconds,
      gradientCheckSeconds: checkSeconds,
      startSeconds: ownSeconds + teacherSeconds,
      imagesPerSecond: (1000 * trainedCount(request, dataset)) / (ratio * epoch.steps),
      basis: { kind, jobs: earlier.jobs, epochs: ratios.length, ratio },
    };
  };
}

function buildTimingTask(request: Training, dataset: Dataset): TrainingTimesTask {
  const { training } = request;
  let { network } = request;
  while (parameterCount(architectureFor(network, dataset)) > MAX_TIMED_PARAMETERS) network = halve(network);
  const plan = buildTrainingPlan({ network, training, seed: 0 }, dataset, null, null);
  const largest = Math.floor(MAX_TIMED_STEP / trainingMicroseconds(plan.architecture));
  const batchSize = Math.max(1, Math.min(training.batchSize, largest));
  return {
    plan: {
      ...plan,
      batchSize,
      standardize: training.standardize ? STANDARDIZATION : false,
      holdout: null,
      earlyStopping: null,
      targetValidationAccuracy: null,
    },
    train: dataset.train,
    batchSize,
    threads: usableThreads(training.threads),
  };
}

/** With half of the units and channels; groups of channels remain whole. */
function halve({ hidden, convolutions, ...network }: Training['network']): Training['network'] {
  const halfOf = (channels: number) => GROUP_CHANNELS * Math.ceil(channels / (2 * GROUP_CHANNELS));
  return {
    ...network,
    hidden: hidden.map((units) => Math.ceil(units / 2)),
    convolutions: convolutions.map((stage) => [stage].flat().map(halfOf)),
  };
}

/** Everything that the time depends on; the seed, for example, does not matter. */
function timingKey({ plan, batchSize, threads }: TrainingTimesTask, { digest }: Dataset): string {
  const { seed: _, epochs: __, learningRate: ___, schedule: ____, ...settings } = plan;
  return JSON.stringify([digest, settings, batchSize, threads]);
}

/** @param timed times of a network with fewer units, or of the same */
function scaleUp(
  timed: TrainingTimes,
  architecture: Architecture,
  timedArchitecture: Architecture,
): TrainingTimes {
  const grow = (model: (architecture: Architecture) => number) =>
    model(architecture) / model(timedArchitecture);
  return {
    training: timed.training * grow(trainingMicroseconds),
    evaluation: timed.evaluation * grow(evaluationMicroseconds),
  };
}

const ascending = (values: readonly number[]) => values.toSorted((a, b) => a - b);

/** @param sorted ascending, not empty */
function quantile(sorted: readonly number[], fraction: number): number {
  const at = fraction * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return below + (above - below) * (at - Math.floor(at));
}
