/** Pagination: query parameters and response of a list. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { wholeNumber } from '../../domain/primitives.ts';
import type { Page } from '../../store/persistent-state.ts';

/** `after` is the sort key of the last item seen, exclusive. */
export const paginationQuery = {
  limit: wholeNumber(1, 100).prefault(20).describe('Largest number of items'),
  after: z.string().min(1).max(64).optional().describe('`lastId` of the previous page'),
};

/** How to read further pages, for the description of an operation. */
export const PAGES =
  'A page has 20 items, or `limit`, at most 100. While `hasMore` is true, `after` with the `lastId` of this page returns the next one.';

/** Documented routes of the native protocol that declare no query have no parameters. */
export function rejectUndeclaredParameters(app: FastifyInstance): void {
  const querystring = z.strictObject({});
  app.addHook('onRoute', (route) => {
    if (route.schema?.hide || route.config?.errorFormat) return;
    route.schema = { querystring, ...route.schema };
  });
}

/** A cursor of one form. Any well-formed id is valid, even if what it names does not exist. */
export const cursor = (pattern: RegExp, what: string) =>
  z
    .string()
    .regex(pattern, `must be the id of ${what}, \`lastId\` of the previous page`)
    .describe('`lastId` of the previous page');

export function listSchema<T extends z.ZodType>(item: T) {
  return z.object({
    data: z.array(item),
    firstId: z.string().nullable(),
    lastId: z.string().nullable(),
    hasMore: z.boolean(),
  });
}

export function toList<T>(page: Page<T>, itemId: (item: T) => string) {
  const { data, hasMore } = page;
  const [first, last] = [data[0], data.at(-1)];
  return {
    data,
    firstId: first === undefined ? null : itemId(first),
    lastId: last === undefined ? null : itemId(last),
    hasMore,
  };
}
