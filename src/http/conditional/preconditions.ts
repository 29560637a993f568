/** Preconditions of changes, checked by comparing ETags: RFC 9110, sections 13.1.1 and 13.1.2. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AtelierError } from '../../errors.ts';
import { entityTagsSchema, matchesTag, withoutEncoding, withoutShown } from './entity-tags.ts';

/** Headers of a route that changes a resource; its handler must call `toPrecondition`. */
export const preconditionHeaders = z.object({
  'if-match': entityTagsSchema.describe(
    'ETags of the state that you have read, or `*` for any existing one. If the resource has changed since, nothing is ' +
      'changed and the response is 412',
  ),
  'if-none-match': entityTagsSchema.describe(
    '`*` prevents the change, with 412, if the resource exists; ETags prevent it if one of them matches',
  ),
});

export interface CurrentState {
  /** Strong ETag; null if the resource does not exist. */
  readonly tag: string | null;
  /** The current state, as a clause: "the alias champion points at version 3". */
  readonly description: string;
}

/**
 * Creates the check of the request's preconditions, to be called in the transaction of the change.
 * @param describe called with what is stored
 * @returns undefined if the request has no preconditions. The check throws AtelierError `precondition-failed`.
 */
export function toPrecondition<T>(
  { headers }: FastifyRequest,
  describe: (stored: T) => CurrentState,
): ((stored: T) => void) | undefined {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  return (stored) => {
    const state = describe(stored);
    // A change needs a strong comparison. A weak tag never passes it.
    if (ifMatch !== undefined && !matches(ifMatch, state.tag, 'strong')) {
      throw failed('If-Match', ifMatch, state);
    }
    if (ifNoneMatch !== undefined && matches(ifNoneMatch, state.tag, 'weak')) {
      throw failed('If-None-Match', ifNoneMatch, state);
    }
  };
}

function matches(sent: string, tag: string | null, comparison: 'strong' | 'weak'): boolean {
  return tag !== null && matchesTag(withoutShown(withoutEncoding(sent)), tag, comparison);
}

function failed(header: string, sent: string, { tag, description }: CurrentState): AtelierError {
  const now = tag === null ? '' : `; its ETag is ${tag}`;
  return new AtelierError(
    'precondition-failed',
    `Nothing was changed, because ${header}: ${sent} does not hold: ${description}${now}. Read it again, then decide.`,
    {
      details: [
        { parameter: header, detail: tag === null ? 'No ETag matches.' : `The current ETag is ${tag}.` },
      ],
    },
  );
}
