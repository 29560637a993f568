/** Lists of entity tags in request headers: RFC 9110, sections 8.8.3, 13.1.1 and 13.1.2. */
import { createHash } from 'node:crypto';
import { z } from 'zod';

const TAG = String.raw`(?:W/)?"[!#-~\x80-\xff]*"`;
/** Empty elements are allowed, but at least one tag is required. */
const LIST = new RegExp(`^(?:[ \\t]*,)*[ \\t]*${TAG}(?:[ \\t]*,(?:[ \\t]*${TAG})?)*[ \\t]*$`);
/** `*`, repeated if a client sends the header twice. */
const ANY = /^[ \t]*\*(?:[ \t]*,[ \t]*\*)*[ \t]*$/;

/** A header of entity tags; anything else is rejected, because the client relies on the condition. */
export const entityTagsSchema = z
  .string()
  .refine((header) => parseEntityTags(header) !== undefined, {
    message: 'must be `*`, or ETags in double quotes, separated by commas, such as "abc", W/"def"',
  })
  .optional();

/** @returns undefined if the header is malformed */
export function parseEntityTags(header: string): '*' | readonly string[] | undefined {
  if (ANY.test(header)) return '*';
  return LIST.test(header) ? (header.match(new RegExp(TAG, 'g')) ?? []) : undefined;
}

/**
 * Whether a header matches a resource. A malformed one never does.
 * @param tag strong ETag of the resource
 * @param comparison a weak tag passes the weak comparison only
 */
export function matchesTag(header: string, tag: string, comparison: 'strong' | 'weak'): boolean {
  const tags = parseEntityTags(header);
  if (tags === undefined || tags === '*') return tags === '*';
  return tags.includes(tag) || (comparison === 'weak' && tags.includes(`W/${tag}`));
}

/** Strong tags differ between the encodings of a representation, because their bytes do. */
export function gzipTag(tag: string): string {
  return tag.startsWith('W/') ? tag : tag.replace(/"$/, '-gzip"');
}

/** Adds to the tag of a state what is shown with it and may change without a change of the state, such as counts. */
export function tagWith(tag: string, shown: unknown): string {
  const digest = createHash('sha1').update(JSON.stringify(shown)).digest('base64url').slice(0, 8);
  return tag.replace(/"$/, `~${digest}"`);
}

/** Turns tags of `tagWith` into tags of the states: counts do not prevent a change. */
export function withoutShown(tags: string): string {
  return tags.replaceAll(/~[\w-]{8}"/g, '"');
}

/** Turns tags that a client sends back, of any encoding, into tags of the representation. */
export function withoutEncoding(tags: string): string {
  return tags.replaceAll('-gzip"', '"');
}
