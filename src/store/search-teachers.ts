/** The teachers of searches, which were resolved to version numbers when the search was created. */
import type { Transaction } from 'kysely';
import { type VersionReference, versionReferenceSchema } from '../domain/model-reference.ts';
import type { ResolvedSearchRequest } from '../domain/search/request.ts';
import { type SearchStatus, UNFINISHED_SEARCHES } from '../domain/search/search.ts';
import { listTeachers } from '../domain/search/teachers.ts';
import { assertUndeleted } from './model-versions.ts';
import { requestOf } from './search-rows.ts';
import type { Database } from './tables.ts';

/** Without those that no trial has, which need not exist. */
function resolvedTeachers(request: ResolvedSearchRequest): (VersionReference & { pointer: string })[] {
  return listTeachers(request).flatMap(({ reference, pointer }) => {
    const { data } = versionReferenceSchema.safeParse(reference);
    return data === undefined ? [] : { ...data, pointer };
  });
}

/**
 * Checks that the teachers of a new search still exist, and locks the rows of their models, so that a deletion waits, and then
 * finds the search.
 * @throws AtelierError `unknown-model` if one has been deleted
 */
export async function assertTeachers(
  trx: Transaction<Database>,
  request: ResolvedSearchRequest,
): Promise<void> {
  // In the order of their names, so that two transactions never wait for each other.
  const teachers = resolvedTeachers(request).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { pointer, ...version } of teachers) await assertUndeleted(trx, version, pointer);
}

/** Unfinished searches whose trials distil a version of the model, with the version. */
export async function listSearches(
  trx: Transaction<Database>,
  name: string,
): Promise<{ id: string; status: SearchStatus; version: number }[]> {
  const searches = await trx
    .selectFrom('searches')
    .select(['id', 'status', 'request'])
    .where('status', 'in', UNFINISHED_SEARCHES)
    .where('request', 'like', '%teachers%')
    .execute();
  return searches.flatMap((search) =>
    resolvedTeachers(requestOf(search))
      .filter((teacher) => teacher.name === name)
      .map(({ version }) => ({ id: search.id, status: search.status, version })),
  );
}
