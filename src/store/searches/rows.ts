/** Converts searches to and from rows. */

import type {
  FinishReason,
  Search,
  SearchBest,
  SearchProgress,
} from '../../domain/searches/representation.ts';
import type { ResolvedSearchRequest } from '../../domain/searches/request.ts';
import type { Setting } from '../../domain/searches/settings.ts';
import type { Publication } from '../../domain/training/publication.ts';
import { decode, decodeOptional, encode } from '../database/json-column.ts';
import { toError } from '../database/row-error.ts';
import type { SearchRow, TrialRow } from '../database/tables.ts';

/** The consequences of a request and its data set. */
export interface SearchPlan extends Pick<Search, 'rungs' | 'validationImages'> {
  readonly settings: readonly Setting[];
  readonly plannedEpochs: number;
  /** The trials that check the gradient first. */
  readonly checked: readonly number[];
}

type StoredPlan = Omit<SearchPlan, 'settings'>;

/** Values of the column `finishing`. */
export const FINISHING = { requested: 1, 'time-budget': 2 } as const satisfies Readonly<
  Record<FinishReason, number>
>;

export const decodeRequest = ({ request }: Pick<SearchRow, 'request'>): ResolvedSearchRequest =>
  decode(request);
export const decodePlan = ({ plan }: Pick<SearchRow, 'plan'>): StoredPlan => decode(plan);

export function newSearchRow(
  id: string,
  createdAt: string,
  request: ResolvedSearchRequest,
  { settings, ...plan }: SearchPlan,
  traceparent: string | null,
): SearchRow {
  const counts = {
    active: 0,
    paused: 0,
    succeeded: 0,
    stopped: 0,
    skipped: 0,
    failed: 0,
    cancelled: 0,
    epochs: 0,
  };
  const progress: SearchProgress = {
    ...counts,
    trials: settings.length,
    waiting: settings.length,
    plannedEpochs: plan.plannedEpochs,
  };
  return {
    id,
    status: 'running',
    request: encode(request),
    plan: encode(plan),
    traceparent,
    created_at: createdAt,
    finished_at: null,
    pause_reason: null,
    finishing: 0,
    progress: encode(progress),
    best: null,
    final_job_id: null,
    model_version: null,
    publication: null,
    error_code: null,
    error_message: null,
    event_count: 0,
    deleting: 0,
  };
}

export function newTrialRows(searchId: string, settings: readonly Setting[], repeats: number): TrialRow[] {
  return settings.flatMap((setting, n) =>
    Array.from({ length: repeats }, (_, repeat) => ({
      search_id: searchId,
      trial: n + 1,
      repeat,
      setting: encode(setting),
      rung: 0,
      is_out: 0,
      job_id: null,
      reported: null,
      state: null,
      state_event: null,
    })),
  );
}

function toFinishReason({ finishing }: SearchRow): FinishReason | null {
  if (finishing === 0) return null;
  return finishing === FINISHING.requested ? 'requested' : 'time-budget';
}

export function toSearch(row: SearchRow): Search {
  const request = decodeRequest(row);
  const { rungs, validationImages } = decodePlan(row);
  return {
    ...request,
    id: row.id,
    status: row.status,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    finishing: row.finishing !== 0,
    finishReason: toFinishReason(row),
    pauseReason: row.pause_reason,
    rungs,
    validationImages,
    progress: decode<SearchProgress>(row.progress),
    best: decodeOptional<SearchBest>(row.best),
    finalJob: row.final_job_id,
    model: row.model_version === null ? null : { name: request.modelName, version: row.model_version },
    publication: decodeOptional<Publication>(row.publication),
    error: toError(row),
  };
}
