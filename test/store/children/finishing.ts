/**
 * Child process: opens the store, waits for the id of a job, publishes a version by it, and prints the times of its rows.
 * usage: finishing.ts DIRECTORY [DATABASE_URL]
 */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { epochRecord, runOf, startRun, trained, underway } from '../fixtures.ts';

const [directory, url] = process.argv.slice(2) as [string, string | undefined];
const store = url === undefined ? await openStore(directory) : await openPostgresStore({ url, directory });
const lines = createInterface({ input: process.stdin });
writeSync(1, 'open\n');
const [id] = (await once(lines, 'line')) as [string];
await startRun(store, id);
const run = runOf(id);
await run.recordEpochs([{ record: epochRecord(3, 0.5), warnings: [] }], underway);
await run.saveCheckpoint({ step: 2, epoch: 3, loss: null }, new Uint8Array([2]));
await store.blobs.putReferenced(new Uint8Array([1]), (digest) =>
  run.finish({ status: 'succeeded', step: 8440, reason: 'completed', model: { ...trained, digest } }),
);
const [job, events, checkpoints, version] = await Promise.all([
  store.jobs.get(id),
  store.events.list(id, { limit: 100 }),
  store.checkpoints.list(id),
  store.models.version('timed', 1),
]);
const { alias } = await store.aliases.move('timed', 'later', 1, 'a test');
const made = [checkpoints.at(-1)?.createdAt, job?.finishedAt, version?.createdAt, alias.movedAt];
writeSync(1, `${JSON.stringify({ events: events.data.map(({ at }) => at), made })}\n`);
await store.close();
lines.close();
