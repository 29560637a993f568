/** Creates, lists, pauses, resumes, cancels and verifies training jobs. */
import type { Catalog } from '../../datasets/catalog.ts';
import type { Dataset } from '../../domain/datasets/representation.ts';
import type { ResolvedTrainingRequest, TrainingRequest } from '../../domain/jobs/request.ts';
import { isEnded } from '../../domain/jobs/status.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import { AtelierError } from '../../errors.ts';
import type { JobQueue } from '../../queue/job-queue.ts';
import type { NumberedQuery } from '../../store/database/pagination.ts';
import type { Precondition } from '../../store/database/rows.ts';
import type { IdempotencyRecord } from '../../store/idempotency.ts';
import type { JobQuery } from '../../store/jobs/pages.ts';
import type { JobRevision } from '../../store/jobs/repository.ts';
import type { Store } from '../../store/persistent-state.ts';
import { listEvents } from '../events/list.ts';
import type { ModelService } from '../models/catalog.ts';
import { estimateRetryAfter } from '../queueing/retry-after.ts';
import type { Waits } from '../runs/waits.ts';
import { prepareReproduction } from './reproduction.ts';
import { initialProgress, type ResolveTraining } from './resolve-request.ts';

export type TrainingService = ReturnType<typeof createTrainingService>;

export function createTrainingService(options: {
  store: Pick<Store, 'jobs' | 'epochRecords' | 'events' | 'checkpoints'>;
  catalog: Catalog;
  models: ModelService;
  queue: JobQueue;
  resolve: ResolveTraining;
  waits: Waits<'storage'>;
  queueLimit: number;
  /** Number of jobs that run at once, on all replicas together. */
  slots: () => number;
}) {
  const { store, catalog, models, queue, resolve, waits, queueLimit, slots } = options;

  async function get(id: string): Promise<TrainingJob> {
    const job = await store.jobs.get(id);
    if (!job) throw new AtelierError('training-job-not-found', `Training job ${id} does not exist.`);
    return waits.mark(job);
  }

  async function create(
    request: ResolvedTrainingRequest,
    dataset: Dataset,
    options: Omit<NonNullable<Parameters<Store['jobs']['create']>[2]>, 'queueLimit'>,
  ): Promise<TrainingJob> {
    const progress = initialProgress(request, dataset);
    const job = await store.jobs.create(request, progress, { queueLimit, ...options }).catch(addRetryAfter);
    queue.notify();
    return job;
  }

  /** A precondition compares jobs as `get` returns them. */
  const onMarked = (precondition: Precondition<TrainingJob> | undefined) =>
    precondition && ((job: TrainingJob) => precondition(waits.mark(job)));

  /** A search pauses and resumes its jobs itself. */
  const outsideSearch = (precondition: Precondition<TrainingJob> | undefined) => (job: TrainingJob) => {
    onMarked(precondition)?.(job);
    if (job.search === null || isEnded(job.status)) return;
    throw new AtelierError(
      'illegal-transition',
      `Training job ${job.id} belongs to search ${job.search.id}. A search pauses and resumes its jobs. ` +
        'Pause or resume the search, or cancel the job.',
    );
  };

  /** Stops the run of a job whose status has changed. */
  function stop(job: TrainingJob): TrainingJob {
    queue.stop(job.id);
    queue.notify();
    return waits.mark(job);
  }

  async function addRetryAfter(error: unknown): Promise<never> {
    if (!(error instanceof AtelierError && error.code === 'queue-full')) throw error;
    // No replica may run jobs at the moment.
    const limit = Math.max(1, slots());
    const { data } = await store.jobs.list({ status: 'running', limit });
    const retryAfterSeconds = estimateRetryAfter(data, limit);
    throw new AtelierError(error.code, error.message, { cause: error, retryAfterSeconds });
  }

  return {
    /** @throws AtelierError `training-job-not-found` */
    get,
    async revisions(query: JobQuery) {
      const page = await store.jobs.revisions(query);
      const mark = ({ id, revision }: JobRevision) => (waits.has(id) ? `${revision}-storage` : revision);
      return { ...page, data: page.data.map((job) => ({ id: job.id, revision: mark(job) })) };
    },
    getMany: async (ids: readonly string[]) => (await store.jobs.getMany(ids)).map(waits.mark),
    metrics: store.epochRecords.list,
    /** @throws AtelierError `unknown-dataset`, `unknown-model`, `impossible-request`, `webhook-not-allowed`, `queue-full` */
    async start(
      request: TrainingRequest,
      idempotency?: IdempotencyRecord<TrainingJob>,
      traceparent?: string,
    ) {
      const { request: resolved, dataset, notify } = await resolve(request);
      return create(resolved, dataset, { idempotency, notify, traceparent });
    },
    /**
     * Repeats the training of a succeeded job from its receipt.
     * @throws AtelierError `training-job-not-found`, `illegal-transition`, `impossible-request`, `queue-full`
     */
    async verify(id: string, idempotency?: IdempotencyRecord<TrainingJob>, traceparent?: string) {
      const job = await get(id);
      const { request, dataset, target } = await prepareReproduction(job, catalog, models);
      return create(request, dataset, { idempotency, target, traceparent });
    },
    /** @throws AtelierError `training-job-not-found`, `illegal-transition`, and the errors of the precondition */
    async cancel(id: string, precondition?: Precondition<TrainingJob>) {
      return stop(await store.jobs.requestCancel(id, onMarked(precondition)));
    },
    /** @throws AtelierError `training-job-not-found`, `illegal-transition`, and the errors of the precondition */
    async pause(id: string, precondition?: Precondition<TrainingJob>) {
      return stop(await store.jobs.requestPause(id, outsideSearch(precondition)));
    },
    /** @throws AtelierError `training-job-not-found`, `illegal-transition`, `queue-full`, and the errors of the precondition */
    async resume(id: string, precondition?: Precondition<TrainingJob>) {
      const resuming = store.jobs.resume(id, outsideSearch(precondition), queueLimit);
      const job = await resuming.catch(addRetryAfter);
      queue.notify();
      return job;
    },
    /** @throws AtelierError `training-job-not-found`, `illegal-transition`, and the errors of the precondition */
    async change(
      id: string,
      { priority }: Pick<TrainingJob, 'priority'>,
      precondition?: Precondition<TrainingJob>,
    ) {
      const job = await store.jobs.changePriority(id, priority, onMarked(precondition));
      queue.notify();
      return waits.mark(job);
    },
    /**
     * Deletes an ended job. Its versions stay.
     * @throws AtelierError `training-job-not-found`, `illegal-transition`, `training-job-in-use`, and the errors of the
     *   precondition
     */
    async remove(id: string, precondition?: Precondition<TrainingJob>) {
      const steps = await store.jobs.remove(id, precondition);
      await models.invalidateEverywhere(steps.map((version) => ({ name: id, version })));
    },
    /** The last epoch with metrics; 0 without. @throws AtelierError `training-job-not-found` */
    async lastEpoch(id: string) {
      const last = await store.epochRecords.last(id);
      if (last === 0) await get(id);
      return last;
    },
    /** @throws AtelierError `training-job-not-found`, `events-deleted` */
    async events(id: string, query: NumberedQuery) {
      return listEvents(store.events, await get(id), query);
    },
    /** @throws AtelierError `training-job-not-found` */
    async checkpoints(id: string) {
      await get(id);
      return store.checkpoints.list(id);
    },
  };
}
