/** Builds the task of a training thread from its job. */
import type { Catalog } from '../../datasets/catalog.ts';
import { isTrial, type TrainingJob } from '../../domain/jobs/training.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { TrainingTask } from '../../workers/training/messages.ts';
import { findDataset } from '../datasets/find.ts';
import type { ModelService } from '../models/catalog.ts';
import { selectExamples } from '../training/examples.ts';
import { buildTrainingPlan } from '../training/plan.ts';
import { reproductionOptions } from '../training/reproduction.ts';
import type { LoadDistillation } from '../training/teachers.ts';
import { usableThreads } from '../training/usable-threads.ts';
import { resolveWarmStart } from '../training/warm-start.ts';

/**
 * @param checkpoint the bytes of the checkpoint to continue from; null to start from the beginning
 * @param stopAfterEpoch the epoch at whose end a trial is paused and the final training of a search ends; null for neither
 * @throws AtelierError if the data set or a model that the job refers to no longer exists or does not match the job
 */
export async function buildTask(
  job: TrainingJob,
  checkpoint: Uint8Array | null,
  stopAfterEpoch: number | null,
  {
    catalog,
    models,
    jobs,
    loadDistillation,
  }: {
    catalog: Catalog;
    models: ModelService;
    jobs: Pick<Store['jobs'], 'get'>;
    loadDistillation: LoadDistillation;
  },
): Promise<Omit<TrainingTask, 'control'>> {
  const dataset = await findDataset(catalog, job.dataset, '#/dataset');
  const reproduction = await reproductionOptions(job, dataset, jobs);
  const start = await resolveWarmStart(job, dataset, models);
  const distillation = await loadDistillation(job, dataset);
  const { budget, threads, checkpointEverySeconds } = job.training;
  // A trial goes on after its stop; the final training of a search ends there.
  const lastStep = stopAfterEpoch === null || isTrial(job) ? null : stepsUntil(job, stopAfterEpoch);
  return {
    plan: {
      ...buildTrainingPlan(job, dataset, start, distillation),
      stopAtStep: reproduction?.stopAtStep ?? lastStep,
    },
    stopAfterEpoch: isTrial(job) ? stopAfterEpoch : null,
    threads: usableThreads(threads),
    // One check is enough: the initial network is the same in every run.
    checkGradient: job.gradientCheck && job.gradientCheckReport === null,
    budgetSeconds: reproduction ? null : (budget?.seconds ?? null),
    checkpointEverySeconds,
    checkpoint,
    train: selectExamples(job.training, dataset).examples,
    test: job.testSet === 'never' ? null : dataset.test,
    testOnce: job.testSet === 'once',
  };
}

function stepsUntil({ progress: { steps, epochs } }: TrainingJob, epoch: number): number {
  return (steps / epochs) * epoch;
}
