/** Metrics of STATE_DIR: its files by kind, and the space on its disk. */
import { Gauge, type Registry } from 'prom-client';
import { type ReadStateSizes, STATE_KINDS, type StateSizes } from '../../store/blobs/sizes.ts';
import { limitTime } from '../../store/database/time-limit.ts';

export interface StateSource {
  readonly readStateSizes: ReadStateSizes;
}

/** Longest time for which a scrape waits for a hanging disk. */
const READ_TIMEOUT_MS = 1_000;

export function measureState(registry: Registry, { readStateSizes }: StateSource): void {
  let reading: Promise<StateSizes> | undefined;

  /** The gauges of a scrape share one reading, and the next scrape does not repeat one that hangs. */
  function read(): Promise<StateSizes | null> {
    reading ??= readStateSizes().finally(() => {
      reading = undefined;
    });
    return limitTime(reading, READ_TIMEOUT_MS).catch(() => null);
  }

  function gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    set: (gauge: Gauge, sizes: StateSizes) => void,
  ): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const sizes = await read();
        if (sizes !== null) set(this, sizes);
        // A reset would set a gauge without labels to 0, a wrong value.
        else if (labelNames.length === 0) this.remove();
        else this.reset();
      },
    });
  }

  gauge(
    'atelier_state_bytes',
    'Bytes of the files in STATE_DIR, by kind; measured in the background, at most every 10 s.',
    ['kind'],
    (to, { used }) => {
      if (used !== null) for (const kind of STATE_KINDS) to.set({ kind }, used[kind].bytes);
    },
  );
  gauge('atelier_state_free_bytes', 'Bytes that are free on the disk of STATE_DIR.', [], (to, { free }) =>
    to.set(free),
  );
  gauge('atelier_state_capacity_bytes', 'Bytes of the disk of STATE_DIR.', [], (to, { capacity }) =>
    to.set(capacity),
  );
}
