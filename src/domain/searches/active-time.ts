/** Active time of a search: since its start, without the time in which it is paused. */

interface StatusChange {
  /** ISO 8601. */
  readonly at: string;
  /** The status from then on. */
  readonly to: string;
}

/**
 * A search whose jobs are still being paused is active, and so is one whose service is down. A clock that was set back adds
 * nothing.
 * @param changes in their order, from the start of the search
 * @returns seconds until now
 */
export function sumActiveSeconds(changes: readonly StatusChange[], now: Date): number {
  const milliseconds = changes.reduce((sum, { at, to }, n) => {
    if (to === 'paused') return sum;
    const next = changes[n + 1];
    const end = next === undefined ? now.getTime() : Date.parse(next.at);
    return sum + Math.max(0, end - Date.parse(at));
  }, 0);
  return milliseconds / 1000;
}
