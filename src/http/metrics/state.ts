/** Metrics of STATE_DIR: its files by kind, and the space on its disk. */
import type { Registry } from 'prom-client';
import { type ReadStateSizes, STATE_KINDS } from '../../store/blobs/sizes.ts';
import { createGauges, createReading } from './instruments.ts';

export function measureState(registry: Registry, readStateSizes: ReadStateSizes): void {
  // The gauges of a scrape share one reading.
  const gauge = createGauges(registry, createReading(readStateSizes));
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
