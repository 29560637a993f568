/** Blobs: time, event loop and memory of storing and fetching them in files, in PostgreSQL, and in an object store. */
import { migratePostgres } from '../../src/store/postgres/migrate.ts';
import { postgresBinaries, startPostgres } from '../../test/support/servers/postgres-server.ts';
import { startS3 } from '../../test/support/servers/s3-server.ts';
import { node, runJson } from '../measure/command.ts';
import type { Report } from '../measure/report.ts';
import { readable } from '../measure/statistics.ts';
import type { Effort } from '../measure/turns.ts';
import type { BlobResult } from '../subjects/blobs.ts';

const MEBIBYTE = 2 ** 20;
/** Parameters of the default network, two checkpoints, and data sets. */
const SIZES: readonly (readonly [name: string, bytes: number, rounds: number, way: 'memory' | 'file'])[] = [
  ['127 KB', 127_240, 50, 'memory'],
  ['400 KB', 400_000, 50, 'memory'],
  ['4 MB', 4_000_000, 20, 'memory'],
  ['40 MB', 40_000_000, 5, 'memory'],
  ['40 MB file', 40_000_000, 5, 'file'],
  ['512 MiB file', 512 * MEBIBYTE, 2, 'file'],
];
const DURABLE = ['fsync=on', 'full_page_writes=on', 'synchronous_commit=on', 'max_wal_size=2GB'];
const NAMES = { files: 'files', chunks: 'PostgreSQL', objects: 'object store' };

export async function blobs({ rounds: full }: Effort): Promise<Report> {
  const s3 = await startS3();
  const server = postgresBinaries() === undefined ? undefined : await startPostgres(DURABLE);
  try {
    if (server) await migratePostgres(server.url);
    const addresses = { files: '-', ...(server && { chunks: server.url }), objects: s3.url };
    const rows: string[][] = [];
    let largest: BlobResult | undefined;
    for (const [name, bytes, rounds, way] of SIZES) {
      for (const [kind, address] of Object.entries(addresses)) {
        process.stderr.write(`${name}: ${kind}\n`);
        const times = full === 1 ? 1 : rounds;
        const result = await runJson<BlobResult>(node('subjects/blobs.ts', kind, address, bytes, times, way));
        const { put, get, held, memory } = result;
        rows.push([
          `${name}, ${NAMES[kind as keyof typeof NAMES]}`,
          ...[put, get, held, memory].map(readable),
        ]);
        if (kind === 'chunks') largest = result;
      }
    }
    return {
      title: 'Blobs',
      method:
        'Milliseconds, medians; each store in a process of its own. Parts of the file of 512 MiB are stored and fetched one ' +
        'after the other. The database and the object store, which is that of the tests and keeps its objects in memory, ' +
        'run on the same machine. The event loop is held at most for the time given; memory is the growth of the largest ' +
        'resident size.',
      versions: [],
      skipped: server ? [] : ['PostgreSQL is not installed'],
      tables: [{ heading: 'Times', columns: ['blob', 'put', 'get', 'loop held', 'memory, MiB'], rows }],
      goals: [
        { what: '512 MiB in PostgreSQL: event loop held, ms', measured: largest?.held, atMost: 20 },
        { what: '512 MiB in PostgreSQL: memory, MiB', measured: largest?.memory, atMost: 100 },
      ],
    };
  } finally {
    await s3.close();
    await server?.remove();
  }
}
