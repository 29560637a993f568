/** Durations of recent work, from which the `Retry-After` of rejected work is estimated. */

/** Weight of the newest duration in the moving average, so that about the last ten count. */
const NEWEST_WEIGHT = 0.2;
/** A client that waits longer gains nothing over one that tries again. */
export const MAX_RETRY_SECONDS = 60;

/** Times are milliseconds of `performance.now()`. */
export interface WorkTimes {
  /** @returns the start, for `end` */
  start(): number;
  end(startedAt: number): void;
  /**
   * Whole seconds, 1 to 60 (RFC 9110, section 10.2.3), until one of the works that run is expected to end: their mean
   * duration, divided by their number. Work that runs longer than earlier work counts with its age. Without any
   * measurement, work is assumed to be short.
   */
  secondsUntilNext(): number;
}

export function createWorkTimes(now = () => performance.now()): WorkTimes {
  let mean: number | undefined;
  let running = 0;
  let sumOfStarts = 0;
  return {
    start() {
      const startedAt = now();
      running += 1;
      sumOfStarts += startedAt;
      return startedAt;
    },
    end(startedAt) {
      const duration = now() - startedAt;
      running -= 1;
      sumOfStarts -= startedAt;
      mean = mean === undefined ? duration : mean + NEWEST_WEIGHT * (duration - mean);
    },
    secondsUntilNext() {
      const age = running === 0 ? 0 : now() - sumOfStarts / running;
      const milliseconds = Math.max(mean ?? 0, age) / Math.max(1, running);
      return Math.min(Math.max(1, Math.ceil(milliseconds / 1000)), MAX_RETRY_SECONDS);
    },
  };
}
