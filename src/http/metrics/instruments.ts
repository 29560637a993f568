/** The forms in which the service uses the counters and gauges of prom-client. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { limitTime } from '../../store/database/time-limit.ts';

/** Longest time for which a scrape waits for a hanging disk or database. */
const READ_TIMEOUT_MS = 1_000;

/**
 * A counter by one label, from 0 for each of its values.
 * @returns a function that counts
 */
export function countBy<const V extends string>(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  values: readonly V[],
): (value: V, amount?: number) => void {
  const counter = new Counter({ name, help, labelNames: [label], registers: [registry] });
  const count = (value: V, amount = 1) => counter.inc({ [label]: value }, amount);
  for (const value of values) count(value, 0);
  return count;
}

/** A gauge that each scrape reads. */
export function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

/**
 * Reads for scrapes: at most a second, and none repeats a reading that hangs.
 * @returns a function that resolves to null if the reading fails or takes too long
 */
export function createReading<T>(read: () => Promise<T>): () => Promise<T | null> {
  let reading: Promise<T> | undefined;
  return () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return limitTime(reading, READ_TIMEOUT_MS).catch(() => null);
  };
}

/**
 * Gauges of one source. They are absent if it cannot be read.
 * @returns a function that adds a gauge
 */
export function createGauges<T>(registry: Registry, read: () => Promise<T | null>) {
  return (
    name: string,
    help: string,
    labelNames: readonly string[],
    set: (gauge: Gauge, source: T) => void,
  ): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const source = await read();
        if (source !== null) set(this, source);
        // A reset would set a gauge without labels to 0, a wrong value.
        else if (labelNames.length === 0) this.remove();
        else this.reset();
      },
    });
  };
}
