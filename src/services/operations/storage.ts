/** Storage: what the state takes, by kind, and the disk of STATE_DIR. */
import { z } from 'zod';
import { AtelierError } from '../../errors.ts';
import type { ReadStateSizes } from '../../store/blobs/sizes.ts';
import { createMeasurement } from '../../store/database/background-measurement.ts';
import type { Store } from '../../store/persistent-state.ts';

/** Longest time for which a request waits for a measurement. */
const PATIENCE_MS = 5_000;

const kindSizeSchema = z.object({
  bytes: z.int(),
  count: z.int().describe('Number of files, blobs or rows; of tables for a `database` in PostgreSQL'),
});

export const storageSchema = z
  .object({
    measuredAt: z
      .string()
      .nullable()
      .describe('Time of the measurement; null, like `kinds`, if it has not ended yet or has failed'),
    kinds: z
      .object({
        database: kindSizeSchema.describe(
          'In SQLite its files; in PostgreSQL the tables without those below',
        ),
        models: kindSizeSchema.describe('Parameters of versions'),
        checkpoints: kindSizeSchema,
        datasets: kindSizeSchema.describe('Uploaded data sets'),
        predictions: kindSizeSchema.describe('Arrays and results of prediction jobs'),
        unreferenced: kindSizeSchema
          .nullable()
          .describe(
            'Blobs that nothing refers to any more, to be removed within two hours; null without PostgreSQL',
          ),
        events: kindSizeSchema
          .nullable()
          .describe(
            'Events of jobs, with an estimated number; null in SQLite, where they are part of `database`',
          ),
        metrics: kindSizeSchema.nullable().describe('Metrics of jobs, like `events`'),
        reserve: kindSizeSchema.describe('Space that a full disk gives back'),
        cache: kindSizeSchema.describe('Copies of data sets, of this replica'),
        temporary: kindSizeSchema.describe('Files of responses, of this replica'),
        other: kindSizeSchema.describe('Other files in STATE_DIR'),
      })
      .nullable(),
    totalBytes: z.int().nullable().describe('Sum of all kinds'),
    disk: z
      .object({ freeBytes: z.int(), totalBytes: z.int() })
      .describe('Disk of STATE_DIR; PostgreSQL and an object store have disks of their own'),
  })
  .meta({ id: 'Storage' });

export type StorageService = ReturnType<typeof createStorageService>;

/** @param options.measureDatabase measures a database that is not in the state directory */
export function createStorageService(options: {
  readStateSizes: ReadStateSizes;
  measureDatabase: Store['measureDatabase'];
}) {
  const { readStateSizes, measureDatabase } = options;
  const readDatabase = measureDatabase && createMeasurement(measureDatabase);
  return {
    /** Measures at most every ten seconds, and less often if that takes long. @throws AtelierError `state-unusable` */
    async read() {
      const [{ used, measuredAt, free, capacity }, database] = await Promise.all([
        readStateSizes(PATIENCE_MS).catch(rejectUnreadable),
        readDatabase?.(PATIENCE_MS),
      ]);
      const disk = { freeBytes: free, totalBytes: capacity };
      if (used === null || measuredAt === null || database === null) {
        return { measuredAt: null, kinds: null, totalBytes: null, disk };
      }
      const kinds = { unreferenced: null, events: null, metrics: null, ...used, ...database?.value };
      const times = [measuredAt, ...(database ? [database.at] : [])].map((at) => at.toISOString());
      return {
        measuredAt: times.toSorted()[0]!,
        kinds,
        totalBytes: Object.values(kinds).reduce((sum, size) => sum + (size?.bytes ?? 0), 0),
        disk,
      };
    },
  };
}

function rejectUnreadable(cause: unknown): never {
  throw new AtelierError('state-unusable', 'The disk of STATE_DIR cannot be read. The log has the reason.', {
    cause,
  });
}
