/** The state of a job or a search as a client has read it: its ETag, and its description in errors. */
import { contentTag } from '../conditional/etag.ts';
import type { CurrentState } from '../conditional/preconditions.ts';

export const stateTag = (stored: object): string => contentTag(JSON.stringify(stored));

/** @param what the kind of what is stored, such as "search" */
export const describeState =
  (what: string) =>
  (stored: { readonly id: string }): CurrentState => ({
    tag: stateTag(stored),
    description: `the ${what} ${stored.id} has changed`,
  });
