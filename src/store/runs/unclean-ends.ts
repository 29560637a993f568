/** Unclean ends: a process that ends without a shutdown while it runs a job. */

/** A job during which the process has ended this often is paused. */
export const MAX_UNCLEAN_ENDS = 5;

/**
 * The reason for which the job is paused. A process cannot see why an earlier one has ended.
 * @param progress what has not happened since the first end; empty if nothing is stored before the end of the job
 */
export function describeUncleanEnds(ends: number, progress = ''): string {
  return (
    `The process ended ${ends} times without a shutdown while this job was active${progress}. Its log, the journal, the ` +
    'container engine or dmesg may have the cause, such as a kill, a crash, a power failure or too little memory. If memory ran ' +
    'out, give the service more, or start a smaller job. `resume` tries again.'
  );
}
