/** Runs of one job in two processes. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import { createCheckpoints } from '../../../src/store/checkpoints/repository.ts';
import { createJobs, type Jobs } from '../../../src/store/jobs/repository.ts';
import { createChunkedBlobs } from '../../../src/store/postgres/blobs/chunked.ts';
import { createReferencedBlobs } from '../../../src/store/postgres/blobs/referenced.ts';
import { connectPostgres } from '../../../src/store/postgres/connect.ts';
import { createPartitions } from '../../../src/store/postgres/partitions.ts';
import { createPostgresRows } from '../../../src/store/postgres/rows.ts';
import type { Run } from '../../../src/store/runs/writes.ts';
import { withoutPostgres } from '../../support/servers/postgres.ts';
import { epochRecord, failure, request, trained, underway, untouched } from '../fixtures.ts';
import { sharedDatabase } from './blob-database.ts';

const options = { skip: withoutPostgres };
const TABLES = ['jobs', 'events', 'metrics', 'checkpoints', 'models', 'model_versions'] as const;

async function openReplicas(t: TestContext) {
  const url = await sharedDatabase(t);
  const open = async () => {
    const rows = createPostgresRows(await connectPostgres({ url }));
    t.after(() => rows.close());
    const blobs = createChunkedBlobs(rows.db);
    return { rows, blobs, jobs: createJobs(rows, createCheckpoints(rows, createReferencedBlobs(blobs))) };
  };
  const [a, b] = [await open(), await open()];
  await createPartitions(a.rows.db);
  async function tables() {
    const contents: unknown[] = [];
    for (const table of TABLES) {
      const { rows } = await sql`select * from ${sql.table(`atelier.${table}`)} order by 1, 2`.execute(
        a.rows.db,
      );
      contents.push(rows);
    }
    return contents;
  }
  return { a: a.jobs, b: b.jobs, publish: publisher(createReferencedBlobs(a.blobs)), tables };
}

/** Returns a function that ends a run with a version of these parameters. */
function publisher({ putReferenced }: ReturnType<typeof createReferencedBlobs>) {
  return (run: Run, parameters: number) =>
    putReferenced(new Uint8Array(64).fill(parameters), (digest) =>
      run.finish({
        status: 'succeeded',
        step: 8440,
        reason: 'completed',
        model: { ...trained, digest },
      }),
    );
}

async function startNew(jobs: Jobs): Promise<Run> {
  const { id } = await jobs.create(request(), untouched);
  return (await jobs.start(id, { runner: 'replica-a' }))!;
}

async function takeOver(jobs: Jobs, { job: { id }, run }: Run): Promise<Run> {
  assert.equal(await jobs.recoverOne(id, run), 'queued');
  return (await jobs.start(id, { runner: 'replica-b' }))!;
}

test('a process that has lost a run writes nothing', options, async (t) => {
  const { a, b, publish, tables } = await openReplicas(t);
  const stale = await startNew(a);
  await stale.recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], underway);
  await stale.saveCheckpoint({ step: 7, epoch: 1, loss: 0.5 }, new Uint8Array(8));
  const current = await takeOver(b, stale);
  const error = { code: 'worker-crashed', message: 'gone' } as const;
  const writes: readonly (() => Promise<unknown>)[] = [
    () => stale.recordProgress(underway),
    () => stale.recordEpochs([{ record: epochRecord(1, 0.5), warnings: [] }], underway),
    () => stale.recordEpochs([{ record: epochRecord(2, 0.5), warnings: [] }], underway),
    () => stale.saveCheckpoint({ step: 9, epoch: 1, loss: 0.1 }, new Uint8Array(9)),
    () => stale.discardCheckpoint(7, { code: 'checkpoint-damaged' }),
    () => stale.warn({ code: 'dead-units' }),
    () => stale.release(),
    () => stale.requeue({ status: 'failed', step: 7, error }),
    () => stale.finish({ status: 'failed', step: 7, error }),
    () => publish(stale, 1),
  ];
  for (const end of [async () => {}, () => publish(current, 2)]) {
    await end();
    const before = await tables();
    const results = await Promise.allSettled(writes.map((write) => write()));
    for (const [n, result] of results.entries()) {
      assert.ok(result.status === 'rejected' && failure('lease-lost')(result.reason), String(writes[n]));
    }
    assert.deepEqual(await tables(), before);
  }
});

test('of two processes that finish a job at the same time, one publishes', options, async (t) => {
  const { a, b, publish, tables } = await openReplicas(t);
  for (let n = 1; n <= 5; n++) {
    const stale = await startNew(a);
    const results = await Promise.allSettled([
      publish(stale, n),
      takeOver(b, stale).then((current) => publish(current, n)),
    ]);
    const refused = results.filter((result) => result.status === 'rejected');
    assert.equal(refused.length, 1);
    const versions = (await tables()).at(-1) as readonly { job_id: string }[];
    assert.deepEqual([versions.length, versions.at(-1)?.job_id], [n, stale.job.id]);
  }
});

test(
  'one of concurrent recoveries and one of concurrent starts of a job succeeds, and its events have no gap',
  options,
  async (t) => {
    const { a, b, tables } = await openReplicas(t);
    let run = await startNew(a);
    const { id } = run.job;
    for (let epoch = 1; epoch <= 5; epoch++) {
      const start = (jobs: Jobs) => jobs.start(id);
      const [recoveries, starts] = await Promise.all([
        Promise.all([a, b, a].map((jobs) => jobs.recoverOne(id, run.run))),
        Promise.allSettled([a, b, a, b].map(start)),
      ]);
      assert.deepEqual(recoveries.toSorted(), [null, null, 'queued']);
      const started = starts.flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : []));
      assert.ok(started.length <= 1);
      run = started[0] ?? (await start(b))!;
      // An epoch resets the count of unclean ends, and five of them pause a job.
      await run.recordEpochs([{ record: epochRecord(epoch, 0.5), warnings: [] }], underway);
    }
    const events = (await tables())[1] as readonly { id: number }[];
    assert.deepEqual(
      events.map((event) => event.id),
      Array.from({ length: 1 + 5 * 3 + 1 }, (_, n) => n + 1),
    );
  },
);
