/** Pages of jobs: filters, order and cursor of a list. */
import type { Kysely } from 'kysely';
import { encodeTime } from 'ulid';
import type { JobStatus } from '../../domain/jobs/status.ts';
import type { JobIds, Rows } from '../database/rows.ts';
import type { Database } from '../database/tables.ts';
import type { CreationFilter } from '../models/filters.ts';
import { toLabels } from './labels.ts';

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
/** The second-largest time of a ULID, in milliseconds. */
const MAX_TIME = 2 ** 48 - 2;

/** The first `limit` ids of the page. */
export function selectJobIds({ db, intersect }: Pick<Rows, 'db' | 'intersect'>, query: JobQuery) {
  const { limit, sort = '-createdAt' } = query;
  const direction = sort.startsWith('-') ? 'desc' : 'asc';
  const [first = selectAll(db, query), ...others] = selectFiltered(db, query);
  return intersect(first, others).orderBy('id', direction).limit(limit);
}

/** The ids that match each filter within the bounds of the page; each is a range of an index. */
function selectFiltered(db: Kysely<Database>, query: JobQuery): JobIds[] {
  const { status, search } = query;
  const labelled = toLabels(query).map(({ name, value }) => {
    let ids = db.selectFrom('job_labels').select('job_id as id');
    ids = ids.where('name', '=', name).where('value', '=', value);
    for (const [operator, id] of idBounds(query)) ids = ids.where('job_id', operator, id);
    return ids as JobIds;
  });
  const all = selectAll(db, query);
  return [
    ...labelled,
    ...(status === undefined ? [] : [all.where('status', '=', status)]),
    ...(search === undefined
      ? []
      : [search === null ? all.where('search_id', 'is', null) : all.where('search_id', '=', search)]),
  ];
}

function selectAll(db: Kysely<Database>, query: JobQuery): JobIds {
  let ids = db.selectFrom('jobs').select('id');
  for (const [operator, id] of idBounds(query)) ids = ids.where('id', operator, id);
  return ids as JobIds;
}

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
