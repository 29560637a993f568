/** Times for rows: in the order of what they record, even if the clock was set back. */

/** @returns the current time, or `earliest` if the clock shows an earlier one */
export function timestamp(earliest = ''): string {
  const now = new Date().toISOString();
  return now > earliest ? now : earliest;
}

/** @returns the current time, or the millisecond after `last` if the clock does not show a later one */
export function timestampAfter(last: string | null | undefined): string {
  return timestamp(last ? new Date(Date.parse(last) + 1).toISOString() : undefined);
}
