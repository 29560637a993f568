/** Patience with other processes: one of them may start the next job. */

/** A process with free memory starts a job within this time: it looks at the queue every second. */
const PEER_PATIENCE_MS = 3_000;

/** Returns whether to go on waiting for the other processes; the time starts anew with another job. */
export type Patience = (jobId: string) => boolean;

export function createPatience(patienceMs = PEER_PATIENCE_MS): Patience {
  let waiting = { jobId: '', since: 0 };
  return (jobId) => {
    if (waiting.jobId !== jobId) waiting = { jobId, since: performance.now() };
    return performance.now() - waiting.since < patienceMs;
  };
}
