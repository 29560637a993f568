/** Measurements that take long: made in the background, seldom, and shared by all who read them. */
import { setTimeout as wait } from 'node:timers/promises';

export interface Measurement<T> {
  readonly value: T;
  readonly at: Date;
}

/**
 * Starts a measurement if the last one is too old, and waits for it at most `patienceMs`.
 * @returns the last measurement; null before the first one has ended, or if the last one failed
 */
export type ReadMeasurement<T> = (patienceMs?: number) => Promise<Measurement<T> | null>;

/** Measuring takes at most this fraction of the time, because there may be a hundred thousand checkpoints. */
const MEASURED_FRACTION = 0.01;
const MIN_INTERVAL_MS = 10_000;
/** A state with a few thousand files takes less. */
const PATIENCE_MS = 200;

/** @param minIntervalMs shortest time between two measurements */
export function createMeasurement<T>(
  measure: () => Promise<T>,
  minIntervalMs = MIN_INTERVAL_MS,
): ReadMeasurement<T> {
  let last: Measurement<T> | null = null;
  let measuring: Promise<void> | undefined;
  let nextAt = Number.NEGATIVE_INFINITY;

  async function run(): Promise<void> {
    const startedAt = performance.now();
    last = await measure().then(
      (value) => ({ value, at: new Date() }),
      () => null,
    );
    const endedAt = performance.now();
    nextAt = endedAt + Math.max(minIntervalMs, (endedAt - startedAt) / MEASURED_FRACTION);
  }

  return async (patienceMs = PATIENCE_MS) => {
    if (performance.now() >= nextAt) {
      measuring ??= run().finally(() => {
        measuring = undefined;
      });
      await Promise.race([measuring, wait(patienceMs, undefined, { ref: false })]);
    }
    return last;
  };
}
