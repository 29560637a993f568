/** Suggestions for mistyped names: "Did you mean `epochs`?" */
import { distance } from 'fastest-levenshtein';

const MAX_DISTANCE = 2;
/** Minimum length of a shared prefix. */
const MIN_PREFIX_CHARS = 3;
const MAX_NAME_CHARS = 64;

/**
 * Ignores case.
 * @returns the closest known name within two edits, or fewer for short names. Without one, the closest in length of
 *   the names that begin with `name`, or with which `name` begins: the shorter must have at least three characters.
 *   Otherwise undefined, as for a `name` of more than 64 characters.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_NAME_CHARS) return undefined;
  const lower = name.toLowerCase();
  const near = known
    .map((candidate) => ({ candidate, edits: distance(lower, candidate.toLowerCase()) }))
    // Short names need closer matches, since two edits could replace the whole name.
    .filter(({ candidate, edits }) => edits <= Math.min(MAX_DISTANCE, (candidate.length - 1) / 2))
    .toSorted((a, b) => a.edits - b.edits)[0];
  if (near) return near.candidate;
  return known
    .filter(
      (candidate) =>
        hasLongPrefix(candidate.toLowerCase(), lower) || hasLongPrefix(lower, candidate.toLowerCase()),
    )
    .toSorted((a, b) => Math.abs(a.length - name.length) - Math.abs(b.length - name.length))[0];
}

function hasLongPrefix(text: string, prefix: string): boolean {
  return prefix.length >= MIN_PREFIX_CHARS && text.startsWith(prefix);
}
