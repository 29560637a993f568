/** The teachers of searches, resolved to version numbers when the search was created. */
import type { Transaction } from 'kysely';
import { versionReferenceSchema } from '../../domain/models/reference.ts';
import { type SearchStatus, UNFINISHED_SEARCHES } from '../../domain/searches/representation.ts';
import type { ResolvedSearchRequest } from '../../domain/searches/request.ts';
import { listTeachers } from '../../domain/searches/teachers.ts';
import type { Database } from '../database/tables.ts';
import { assertAllUndeleted, type UsedModel } from '../models/versions.ts';
import { decodeRequest } from './rows.ts';

/** Omits teachers of the wrong form: no trial has them. */
function resolvedTeachers(request: ResolvedSearchRequest): UsedModel[] {
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
  await assertAllUndeleted(trx, resolvedTeachers(request));
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
    resolvedTeachers(decodeRequest(search))
      .filter((teacher) => teacher.name === name)
      .map(({ version }) => ({ id: search.id, status: search.status, version })),
  );
}
