/** Creates, lists, changes and deletes searches. */
import type { Catalog } from '../../datasets/catalog.ts';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import { rankTrials } from '../../domain/searches/leaderboard.ts';
import type { Search, SearchChange } from '../../domain/searches/representation.ts';
import type { ResolvedSearchRequest, SearchRequest } from '../../domain/searches/request.ts';
import { nameValues } from '../../domain/searches/trial-request.ts';
import { AtelierError, hasCode } from '../../errors.ts';
import type { NumberedQuery } from '../../store/database/pagination.ts';
import type { Precondition } from '../../store/database/rows.ts';
import type { IdempotencyRecord } from '../../store/idempotency.ts';
import type { Store } from '../../store/persistent-state.ts';
import { findDataset } from '../datasets/find.ts';
import type { ModelService } from '../models/catalog.ts';
import type { PredictTrainingTime } from '../preview/training-times.ts';
import type { ResolveTraining } from '../training/resolve-request.ts';
import { fixSearchTeachers } from '../training/teachers.ts';
import { estimateSearchTime } from './duration.ts';
import { planSearch } from './plan.ts';
import type { SearchRunner } from './runner.ts';

export type SearchService = ReturnType<typeof createSearchService>;

/** Searches that have not ended. */
const MAX_UNFINISHED = 100;
const PAGE_SIZE = 100;

export function createSearchService(options: {
  store: Pick<Store, 'searches'>;
  catalog: Catalog;
  resolve: ResolveTraining;
  models: Pick<ModelService, 'version' | 'invalidateEverywhere'>;
  runner: SearchRunner;
  predictTime: PredictTrainingTime;
  /** Number of jobs that run at once, on all replicas together. */
  slots: () => number;
}) {
  const { store, catalog, resolve, models, runner, predictTime, slots } = options;
  const { searches } = store;

  async function get(id: string): Promise<Search> {
    const search = await searches.get(id);
    if (search === undefined) throw new AtelierError('search-not-found', `Search ${id} does not exist.`);
    return search;
  }

  async function plan(sent: SearchRequest) {
    const request = await fixSearchTeachers(sent, models);
    const dataset = await findDataset(catalog, request.dataset, '#/dataset');
    return { ...(await planSearch(request, dataset, resolve)), request, dataset };
  }

  const remove = (id: string, precondition?: Precondition<Search>) =>
    searches.remove(id, precondition, models.invalidateEverywhere);

  async function removeEach(ids: readonly string[], signal: AbortSignal): Promise<void> {
    for (const id of ids) {
      if (signal.aborted) return;
      await remove(id).catch((error) => {
        // Another process has deleted it, or an unfinished job uses one of its checkpoints.
        if (!hasCode(error, 'search-not-found', 'training-job-in-use')) throw error;
      });
    }
  }

  return {
    /** @throws AtelierError `search-not-found` */
    get,
    list: searches.list,
    /**
     * Deletes an ended search with its trials and their jobs. The version that it published stays.
     * @throws AtelierError `search-not-found`, `illegal-transition`, `training-job-in-use`, and the errors of the precondition
     */
    remove,
    /** @throws AtelierError `unknown-dataset`, `invalid-request`, `impossible-request`, `queue-full` */
    async start(sent: SearchRequest, idempotency?: IdempotencyRecord<Search>, traceparent?: string) {
      const { plan: planned, request } = await plan(sent);
      const resolved: ResolvedSearchRequest = { ...request, modelName: request.modelName ?? request.dataset };
      const options = { limit: MAX_UNFINISHED, idempotency, traceparent };
      const search = await searches.create(resolved, planned, options);
      runner.notify(search.id);
      return search;
    },
    /** Checks the request as `start` does, and estimates its time. @throws `signal.reason` once it aborts, and the errors of `start`, except `queue-full` */
    async preview(sent: SearchRequest, signal: AbortSignal) {
      const { plan: planned, request, requests, dataset } = await plan(sent);
      const { settings, rungs, plannedEpochs, validationImages } = planned;
      const parallel = request.parallel ?? Math.max(1, slots());
      // The teachers predict once for all trials.
      const time = ({ training, ...rest }: ResolvedTrainingRequest) =>
        predictTime({ ...rest, training: { ...training, distillation: null } }, dataset, signal);
      return {
        trials: settings.map((setting, n) => ({ trial: n + 1, values: nameValues(request, setting) })),
        repeats: request.repeats,
        rungs: [...rungs],
        plannedEpochs,
        validationImages,
        time: await estimateSearchTime(request, requests, dataset, {
          parallel,
          slots: Math.max(1, slots()),
          time,
        }),
      };
    },
    /** In order of their numbers. @throws AtelierError `search-not-found` */
    async trials(id: string) {
      await get(id);
      return searches.trials(id);
    },
    /** Best first. @throws AtelierError `search-not-found` */
    async leaderboard(id: string) {
      const search = await get(id);
      return rankTrials(await searches.trials(id), search, search.validationImages);
    },
    /** @throws AtelierError `search-not-found`, `illegal-transition`, and the errors of the precondition */
    async change(id: string, change: SearchChange, precondition?: Precondition<Search>) {
      const search = await searches.request(id, change, precondition);
      runner.notify(id);
      return search;
    },
    /** Deletes searches that ended before a time. */
    async removeEnded(endedBefore: Date, signal: AbortSignal) {
      const ended: string[] = [];
      for (let after: string | undefined, hasMore = true; hasMore && !signal.aborted; ) {
        const page = await searches.list({ limit: PAGE_SIZE, after });
        ended.push(
          ...page.data.filter(({ finishedAt }) => isBefore(finishedAt, endedBefore)).map(({ id }) => id),
        );
        ({ hasMore } = page);
        after = page.data.at(-1)?.id;
      }
      await removeEach(ended, signal);
    },
    /** Continues deletions that were interrupted, such as by the end of the process. */
    finishDeletions: async (signal: AbortSignal) => removeEach(await searches.beingDeleted(), signal),
    /** @throws AtelierError `search-not-found` */
    async events(id: string, query: NumberedQuery) {
      await get(id);
      return searches.events(id, query);
    },
  };
}

function isBefore(finishedAt: string | null, time: Date): boolean {
  return finishedAt !== null && finishedAt < time.toISOString();
}
