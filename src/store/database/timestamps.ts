/** Times for rows: in the order of what they record, even if the clock was set back. */

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** Whether a text is a time as rows hold it; a damaged row may hold another text. */
export const isTime = (text: string): boolean => TIME.test(text) && !Number.isNaN(Date.parse(text));

/** The newest time that this process has given to a row, or has read from one. Each process has one clock. */
let newest = '';

/**
 * Call it with the newest time when a store is opened, and with the last time of an object before appending to it, because
 * another process may have written that.
 */
export function rememberTime(known: string | null | undefined): void {
  if (known && known > newest && isTime(known)) newest = known;
}

/**
 * The clock of the store. It stands still while the clock of the machine is behind a time that a row has.
 * @param known a time in a row
 * @returns the current time, or the newest known one if the machine's clock shows an earlier one
 */
export function timestamp(known?: string | null): string {
  rememberTime(new Date().toISOString());
  rememberTime(known);
  return newest;
}

/** @returns the time of `timestamp`, or the millisecond after `last` if that is later */
export function timestampAfter(last: string | null): string {
  return timestamp(last !== null && isTime(last) ? new Date(Date.parse(last) + 1).toISOString() : null);
}
