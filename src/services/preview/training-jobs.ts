/** Previews a training job: validates its request, and estimates memory, time and its place in the queue. */

import type { Catalog } from '../../datasets/catalog.ts';
import type { PreviewWarning, TrainingPreview } from '../../domain/jobs/preview.ts';
import type { ResolvedTrainingRequest, TrainingRequest } from '../../domain/jobs/request.ts';
import { type FewSteps, warnOfFewSteps } from '../../domain/training/few-steps.ts';
import {
  architectureText,
  forwardCost,
  layerSizes,
  parameterCount,
} from '../../numerics/network/architecture.ts';
import { stateVectorCount } from '../../numerics/training/engine.ts';
import type { Store } from '../../store/persistent-state.ts';
import { inMebibytes, type MemoryLedger } from '../memory/ledger.ts';
import { trainingJobBytes } from '../memory/limits.ts';
import { type Capacity, forecastQueue } from '../queueing/forecast.ts';
import { countImages } from '../training/examples.ts';
import { architectureFor } from '../training/plan.ts';
import { countSteps, type ResolveTraining } from '../training/resolve-request.ts';
import { usableThreads } from '../training/usable-threads.ts';
import type { PredictTrainingTime } from './training-times.ts';

/** Measured: header and digest of a checkpoint file. */
const CHECKPOINT_HEADER_BYTES = 700;

/**
 * @param signal aborts when the client disconnects
 * @throws AtelierError as the request to start the job, except `queue-full`: it is a warning
 */
export type PreviewTraining = (request: TrainingRequest, signal: AbortSignal) => Promise<TrainingPreview>;

export function createPreviewTraining(options: {
  resolve: ResolveTraining;
  predictTime: PredictTrainingTime;
  jobs: Pick<Store['jobs'], 'list' | 'countAhead' | 'listAhead' | 'count'>;
  catalog: Catalog;
  memory: MemoryLedger;
  queueLimit: number;
  capacity: () => Capacity;
}): PreviewTraining {
  const { resolve, predictTime, jobs, catalog, memory, queueLimit, capacity } = options;

  return async (body, signal) => {
    const { request, dataset } = await resolve(body);
    const architecture = architectureFor(request.network, dataset);
    const parameters = parameterCount(architecture);
    const { trained: train, heldOut: validation } = countImages(request, dataset);
    const total = countSteps(request, dataset);
    const fewSteps = warnOfFewSteps(request, train);
    const bytes = trainingJobBytes(request, catalog)!;
    const [time, queue, queued] = await Promise.all([
      predictTime(request, dataset, signal),
      forecastQueue({ priority: request.priority, bytes }, { jobs, catalog, capacity: capacity() }),
      jobs.count('queued'),
    ]);
    return {
      request,
      network: {
        layers: architectureText(architecture),
        layerSizes: layerSizes(architecture),
        parameters,
        multiplyAdds: forwardCost(architecture),
      },
      data: {
        train,
        validation,
        test: dataset.test.labels.length,
        testSet: request.testSet,
      },
      steps: { perEpoch: total / request.training.epochs, total },
      memory: {
        bytes,
        availableBytes: Math.floor(memory.jobBudget),
        checkpointBytes: checkpointBytes(request, parameters),
      },
      time,
      queue,
      suggested: fewSteps?.suggested ?? null,
      warnings: findWarnings({ request, bytes, time, memory, isFull: queued >= queueLimit, fewSteps }),
    };
  };
}

function checkpointBytes({ training }: ResolvedTrainingRequest, parameters: number): number {
  const best = training.earlyStopping?.restoreBest ? 1 : 0;
  return CHECKPOINT_HEADER_BYTES + 4 * parameters * (1 + stateVectorCount(training) + best);
}

function findWarnings({
  request: { training },
  bytes,
  time,
  memory,
  isFull,
  fewSteps,
}: {
  readonly request: ResolvedTrainingRequest;
  readonly bytes: number;
  readonly time: TrainingPreview['time'];
  readonly memory: MemoryLedger;
  readonly isFull: boolean;
  readonly fewSteps: FewSteps | null;
}): PreviewWarning[] {
  const warnings: PreviewWarning[] = [];
  const warn = (code: PreviewWarning['code'], message: string) => warnings.push({ code, message });
  const threads = usableThreads(training.threads);
  if (training.threads > threads) {
    const used =
      threads === 1
        ? '1 thread, because it has 1 core'
        : `${threads} threads, because it has ${threads} cores`;
    warn('more-threads-than-cores', `On this machine, the job uses ${used}. The result is the same.`);
  }
  // Caches make room for jobs.
  if (!memory.fitsJobs(bytes)) {
    const sizes = `about ${inMebibytes(bytes)} of memory, and jobs together ${inMebibytes(memory.jobBudget)}`;
    warn('waits-for-memory', `The job takes ${sizes}. It will wait until running jobs have freed enough.`);
  }
  if (isFull) warn('queue-full', 'The queue is full: at the moment, the job would be rejected with 429.');
  const epochsSeconds = time.trainingSeconds + time.evaluationSeconds;
  const budget = training.budget?.seconds ?? null;
  if (budget !== null && budget < epochsSeconds) {
    const epochs = Math.floor((training.epochs * budget) / epochsSeconds);
    warn('budget-ends-training', `The time budget ends after about ${epochs} of ${training.epochs} epochs.`);
  }
  if (fewSteps) warn('few-steps', fewSteps.message);
  return warnings;
}
