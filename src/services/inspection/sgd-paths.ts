/** SGD paths: trains a job again from its receipt in a worker thread, and projects it onto a plane. */
import type { Catalog } from '../../datasets/catalog.ts';
import type { SgdPath, SgdPathQuery } from '../../domain/checks/sgd-path.ts';
import { isEnded } from '../../domain/jobs/status.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import { AtelierError, type ErrorDetail } from '../../errors.ts';
import { planeSeconds, retrainingSeconds } from '../../numerics/sgd-path/cost.ts';
import { snapshotSteps } from '../../numerics/sgd-path/projection.ts';
import type { NumericPool } from '../../workers/pools.ts';
import type { SgdPathTask } from '../../workers/tasks/sgd-path.ts';
import type { ModelService } from '../models/catalog.ts';
import { countImages, selectExamples } from '../training/examples.ts';
import { buildTrainingPlan } from '../training/plan.ts';
import { prepareReproduction } from '../training/reproduction.ts';
import type { LoadDistillation } from '../training/teachers.ts';
import { resolveWarmStart } from '../training/warm-start.ts';
import { createCoalescingCache } from './coalesce.ts';

/** Limit of the estimated computing time. */
export const MAX_PATH_SECONDS = 30;
/** Number of cached paths, of at most 100 kilobytes each. */
const MAX_CACHED = 64;
/** Options that are suggested if fewer examples alone do not suffice. */
const SMALL = { snapshots: 20, grid: 10, examples: 500 };
/** Fewer examples give a noisy surface. */
const MIN_EXAMPLES = 500;

export type SgdPathService = ReturnType<typeof createSgdPathService>;

export function createSgdPathService(
  catalog: Catalog,
  models: ModelService,
  numeric: NumericPool,
  loadDistillation: LoadDistillation,
) {
  const coalesce = createCoalescingCache<SgdPath>(MAX_CACHED);

  async function buildTask(job: TrainingJob, query: SgdPathQuery): Promise<SgdPathTask> {
    const { request, dataset } = await prepareReproduction(job, catalog, models);
    const start = await resolveWarmStart(request, dataset, models);
    const { step, reason } = job.receipt!.stoppedAt;
    const plan = {
      ...buildTrainingPlan(request, dataset, start, await loadDistillation(request, dataset)),
      stopAtStep: reason === 'budget' ? step : null,
    };
    const { examples: train } = selectExamples(request.training, dataset);
    const { trained } = countImages(request, dataset);
    return { plan, train, steps: step, ...query, examples: Math.min(query.examples, trained) };
  }

  return {
    /**
     * @param signal aborts when the client disconnects; the work stops when no client is waiting for it
     * @throws AtelierError `impossible-request` if the job has no final parameters, or its receipt, data set or warm start
     *   cannot give them again; `path-too-costly`, `overloaded`, `dataset-damaged`
     */
    async compute(job: TrainingJob, query: SgdPathQuery, signal: AbortSignal) {
      const expected = assertSucceeded(job);
      const task = await buildTask(job, query);
      assertPlane(job, task);
      assertAffordable(job, task);
      // Equal digests do not imply equal paths: two trainings may restore the same best epoch.
      return coalesce(JSON.stringify([job.id, query]), signal, async (abortSignal) => {
        const { digest, explainedVariance, points, surface, examples } = await numeric.run(
          'sgdPath',
          task,
          abortSignal,
        );
        return {
          jobId: job.id,
          agrees: digest === expected,
          digest,
          explainedVariance: [...explainedVariance],
          points: [...points],
          surface,
          examples,
          split: 'train',
        };
      });
    },
  };
}

/**
 * @returns the digest of the final parameters
 * @throws AtelierError `impossible-request` if the job has none
 */
export function assertSucceeded({ id, status, digest }: TrainingJob): string {
  if (digest !== null) return digest;
  throw new AtelierError(
    'impossible-request',
    isEnded(status)
      ? `Training job ${id} ${status === 'failed' ? 'failed' : 'was cancelled'}: only succeeded jobs have a path.`
      : `Training job ${id} is ${status}: its path can be computed when it has succeeded.`,
  );
}

function assertPlane({ id }: TrainingJob, { steps, snapshots }: SgdPathTask): void {
  const { length } = snapshotSteps(steps, snapshots);
  if (length >= 3) return;
  throw new AtelierError(
    'impossible-request',
    `Training job ${id} took ${steps} ${steps === 1 ? 'step' : 'steps'}. A plane needs at least three points, so at least two steps.`,
  );
}

/** @throws AtelierError `path-too-costly`, with options that fit, if any do */
function assertAffordable({ id }: TrainingJob, task: SgdPathTask): void {
  const training = retrainingSeconds(task);
  const remaining = MAX_PATH_SECONDS - training;
  const fits = (changed: Partial<SgdPathTask>) => planeSeconds({ ...task, ...changed }) <= remaining;
  if (fits({})) return;
  const total = Math.ceil(training + planeSeconds(task));
  const takes = `The path of training job ${id} takes about ${total} seconds; the limit is ${MAX_PATH_SECONDS}`;
  const examples = largestExamples(task, remaining);
  if (examples >= MIN_EXAMPLES) {
    const detail = `must be at most ${examples} with these snapshots and this grid`;
    throw tooCostly(`${takes}. examples ${detail}.`, [{ parameter: 'examples', detail }]);
  }
  if (fits(SMALL)) {
    const { snapshots, grid } = SMALL;
    const query = `?snapshots=${snapshots}&grid=${grid}&examples=${SMALL.examples}`;
    const detail = `must be lower: ${query} fits`;
    throw tooCostly(
      `${takes}. Send ${query} instead.`,
      ['snapshots', 'grid', 'examples'].map((parameter) => ({ parameter, detail })),
    );
  }
  throw tooCostly(`${takes}. Training it again alone takes ${Math.ceil(training)}: more than allowed.`, []);
}

/** Largest number of examples whose plane takes at most `seconds`; the time grows linearly with it. */
function largestExamples(task: SgdPathTask, seconds: number): number {
  const none = planeSeconds({ ...task, examples: 0 });
  const perExample = planeSeconds({ ...task, examples: 1 }) - none;
  return Math.floor((seconds - none) / perExample);
}

function tooCostly(message: string, details: readonly ErrorDetail[]): AtelierError {
  return new AtelierError('path-too-costly', message, { details });
}
