/** Pages of jobs: filters, order and cursor of a list. */
import { expressionBuilder, type Kysely, sql } from 'kysely';
import { encodeTime } from 'ulid';
import { isEnded, type JobStatus } from '../domain/job-status.ts';
import { type Label, toLabels } from './job-labels.ts';
import type { Database } from './tables.ts';
import type { CreationFilter } from './version-filters.ts';

/** `-` is descending. */
export const JOB_SORTS = ['-createdAt', 'createdAt'] as const;

export interface JobQuery extends CreationFilter {
  readonly limit: number;
  /** Id of a job, exclusive. The job need not exist. */
  readonly after?: string | undefined;
  /** Newest first by default. */
  readonly sort?: (typeof JOB_SORTS)[number] | undefined;
  readonly status?: JobStatus | undefined;
  readonly modelName?: string | undefined;
  readonly dataset?: string | undefined;
  /** Id of a search; null for jobs that belong to none. */
  readonly search?: string | null | undefined;
  /** Entries that the metadata must have, besides others. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

const TIME_CHARS = 10;
/** Largest time of a ULID but one, in milliseconds. */
const MAX_TIME = 2 ** 48 - 2;

/** Whether the query needs the labels of all jobs. */
export const filtersByLabel = (query: JobQuery) => toLabels(toLabelled(query)).length > 0;

/** The first `limit` ids of the page, read from an index in the order of the page. */
export function selectJobIds(db: Kysely<Database>, query: JobQuery) {
  const { limit, status, search, sort = '-createdAt' } = query;
  const bounds = idBounds(query);
  const direction = sort.startsWith('-') ? 'desc' : 'asc';
  // Metadata usually select fewer jobs than the name of the model or the data set.
  const labels = toLabels(toLabelled(query)).toReversed();
  const [first, ...others] = labels;
  // Few jobs are unfinished, so each of them is looked up rather than each job with a label.
  if (first === undefined || search !== undefined || (status !== undefined && !isEnded(status))) {
    let ids = db.selectFrom('jobs').select('jobs.id');
    for (const [operator, id] of bounds) ids = ids.where('jobs.id', operator, id);
    if (status !== undefined) ids = ids.where('jobs.status', '=', status);
    if (search !== undefined) ids = ids.where(isOfSearch(search));
    for (const label of labels) ids = ids.where(hasLabel(label, 'jobs.id'));
    return ids.orderBy('jobs.id', direction).limit(limit);
  }
  let ids = db
    .selectFrom('job_labels as label')
    .select('label.job_id as id')
    .where('label.name', '=', first.name)
    .where('label.value', '=', first.value);
  for (const [operator, id] of bounds) ids = ids.where('label.job_id', operator, id);
  for (const label of others) ids = ids.where(hasLabel(label, 'label.job_id'));
  if (status !== undefined) {
    ids = ids.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('jobs')
          .select('jobs.id')
          .whereRef('jobs.id', '=', 'label.job_id')
          .where('jobs.status', '=', status),
      ),
    );
  }
  return ids.orderBy('label.job_id', direction).limit(limit);
}

/** @param search null for jobs that belong to none */
function isOfSearch(search: string | null) {
  const eb = expressionBuilder<Database, 'jobs'>();
  return search === null ? eb('jobs.search_id', 'is', null) : eb('jobs.search_id', '=', search);
}

/** @param jobId the column that holds the id of the job */
function hasLabel({ name, value }: Label, jobId: 'jobs.id' | 'label.job_id') {
  const { exists, selectFrom } = expressionBuilder<Database>();
  return exists(
    selectFrom('job_labels as other')
      .select('other.job_id')
      .where('other.name', '=', name)
      .where('other.value', '=', value)
      .where('other.job_id', '=', sql.ref<string>(jobId)),
  );
}

const toLabelled = ({ modelName, dataset, metadata = {} }: JobQuery) => ({
  ...(modelName === undefined ? {} : { modelName }),
  ...(dataset === undefined ? {} : { dataset }),
  metadata,
});

/** An id begins with the time of its job's creation. */
function idBounds({ after, sort, createdAfter, createdBefore }: JobQuery): ['<' | '>' | '>=', string][] {
  const bounds: ['<' | '>' | '>=', string][] = [];
  if (after !== undefined) bounds.push([sort === 'createdAt' ? '>' : '<', after]);
  if (createdAfter !== undefined) bounds.push(['>=', firstIdAt(Date.parse(createdAfter) + 1)]);
  if (createdBefore !== undefined) bounds.push(['<', firstIdAt(Date.parse(createdBefore))]);
  return bounds;
}

function firstIdAt(time: number): string {
  return `job_${encodeTime(Math.min(Math.max(0, Math.floor(time)), MAX_TIME), TIME_CHARS)}`;
}
