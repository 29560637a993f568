import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import { ulid } from 'ulid';
import type { JobStatus } from '../../src/domain/jobs/status.ts';
import { migrateBoss, startBoss, TRAINING } from '../../src/queue/pg-boss.ts';
import { createTickets, jobToTicketId, ticketToJobId } from '../../src/queue/tickets.ts';
import { createStorePool, sendStatements, toDatabase } from '../../src/store/postgres/connect.ts';
import { sharedDatabase } from '../store/postgres/blob-database.ts';
import { execute, withoutPostgres } from '../support/servers/postgres.ts';

async function ticketsFor(t: TestContext) {
  const url = await sharedDatabase(t);
  // As three processes that start at once on an empty database.
  await Promise.all([migrateBoss(url), migrateBoss(url), migrateBoss(url)]);
  const pool = await createStorePool({ url });
  const db = toDatabase(pool);
  const errors: Error[] = [];
  const boss = await startBoss({ db, send: sendStatements(pool), onError: (error) => errors.push(error) });
  t.after(async () => {
    await boss.close();
    await db.destroy();
  });
  const tickets = createTickets(boss);
  return {
    boss,
    db,
    errors,
    /** Inserts rows of queued jobs. */
    insertQueued: (...ids: string[]) =>
      execute(
        url,
        `insert into atelier.jobs (id, status, request, created_at, attempts, progress, event_count)
        select unnest('{${ids.join()}}'::text[]), 'queued', '{}', '2026-11-26T00:00:00.000Z', 0, '{}', 0`,
      ),
    tickets,
    follow: (id: string, ...statuses: JobStatus[]) =>
      db.transaction().execute(async (trx) => {
        for (const status of statuses) await tickets.follow(trx, { id, status, rank: 0 });
      }),
    async fetch() {
      const [ticket] = await boss.queue.fetch(TRAINING);
      return ticket && { ...ticket, jobId: ticketToJobId(ticket.id) };
    },
  };
}

const jobIds = (count: number) =>
  Array.from({ length: count }, (_, n) => `job_${ulid(1_700_000_000_000 + n)}`);

test('a job id and a ticket id are the same number', () => {
  const [id] = jobIds(1);
  assert.equal(ticketToJobId(jobToTicketId(id!)), id);
});

test('a job that returns to the queue comes before later ones', { skip: withoutPostgres }, async (t) => {
  const { boss, fetch, follow } = await ticketsFor(t);
  const [paused, released, refused, last] = jobIds(4) as [string, string, string, string];
  for (const id of [paused, released, refused, last]) await follow(id, 'queued');
  await follow(paused, 'paused');
  assert.equal((await fetch())?.jobId, released);
  await follow(released, 'running');
  const claim = await fetch();
  assert.equal(claim?.jobId, refused);
  await boss.queue.fail(TRAINING, claim);
  await follow(released, 'queued');
  await follow(paused, 'queued');
  for (const id of [paused, released, refused, last]) assert.equal((await fetch())?.jobId, id);
  assert.equal(await fetch(), undefined);
});

test('a ticket has the rank that its job has when it is queued', { skip: withoutPostgres }, async (t) => {
  const { db, fetch, tickets } = await ticketsFor(t);
  const [first, second, third, last] = jobIds(4) as [string, string, string, string];
  const follow = (id: string, status: JobStatus, rank: number) =>
    db.transaction().execute((trx) => tickets.follow(trx, { id, status, rank }));
  await follow(first, 'queued', 0);
  await follow(second, 'queued', 0);
  await follow(third, 'queued', 0);
  await follow(last, 'queued', 5);
  await follow(second, 'paused', 0);
  await follow(second, 'queued', 7);
  await follow(first, 'queued', -1);
  for (const id of [second, last, third, first]) assert.equal((await fetch())?.jobId, id);
});

test('an ended job leaves no ticket, and a failed transaction changes no ticket', {
  skip: withoutPostgres,
}, async (t) => {
  const { boss, db, errors, fetch, follow, tickets } = await ticketsFor(t);
  const [cancelled, succeeded, kept] = jobIds(3) as [string, string, string];
  await follow(cancelled, 'queued', 'cancelled');
  await follow(succeeded, 'queued', 'running', 'cancelling', 'succeeded');
  await follow(kept, 'queued');
  const failed = db.transaction().execute(async (trx) => {
    await tickets.follow(trx, { id: kept, status: 'cancelled', rank: 0 });
    throw new Error('not committed');
  });
  await assert.rejects(failed, /not committed/);
  const { rows } = await sql`select group_id, state from atelier_boss.job`.execute(db);
  assert.deepEqual(rows, [{ group_id: kept, state: 'created' }]);
  // The maintenance needs the rows of statements that are sent together.
  await boss.queue.supervise(TRAINING);
  assert.deepEqual(errors, []);
  assert.equal((await fetch())?.jobId, kept);
});

test('a claim does not affect a later claim of the same ticket', { skip: withoutPostgres }, async (t) => {
  const { boss, fetch, follow } = await ticketsFor(t);
  const [id] = jobIds(1) as [string];
  await follow(id, 'queued');
  const lost = (await fetch())!;
  await follow(id, 'running');
  await follow(id, 'queued');
  const current = (await fetch())!;
  await boss.queue.deleteJob(TRAINING, lost);
  await boss.queue.fail(TRAINING, lost);
  assert.equal(await fetch(), undefined);
  await boss.queue.fail(TRAINING, current);
  assert.equal((await fetch())?.jobId, id);
});

test('a claim takes the ticket of its job behind those that are skipped, and can put it back', {
  skip: withoutPostgres,
}, async (t) => {
  const { fetch, follow, tickets } = await ticketsFor(t);
  const [left, taken] = jobIds(2) as [string, string];
  for (const id of [left, taken]) await follow(id, 'queued');
  const claim = await tickets.claim(taken, [left]);
  assert.equal((await fetch())?.jobId, left);
  assert.equal(await fetch(), undefined);
  await claim?.putBack();
  assert.equal((await fetch())?.jobId, taken);
});

test('a claim removes tickets of jobs that are not queued, and leaves those of others', {
  skip: withoutPostgres,
}, async (t) => {
  const { fetch, follow, insertQueued, tickets } = await ticketsFor(t);
  const [stale, wanted, other, last] = jobIds(4) as [string, string, string, string];
  for (const id of [stale, wanted, other, last]) await follow(id, 'queued');
  await insertQueued(wanted, other, last);
  assert.ok(await tickets.claim(wanted, []));
  assert.equal(await tickets.claim(last, []), undefined, 'another job comes first');
  // Its ticket then has the rank of its row, which is 1.
  for (const id of [last, other]) assert.equal((await fetch())?.jobId, id);
  assert.equal(await fetch(), undefined);
});

test('a claim replaces a ticket that is missing or over, but not one that is claimed', {
  skip: withoutPostgres,
}, async (t) => {
  const { boss, db, fetch, follow, insertQueued, tickets } = await ticketsFor(t);
  const [missing, completed, failed, claimed, gone] = jobIds(5) as [string, string, string, string, string];
  await insertQueued(missing, completed, failed, claimed);
  for (const id of [completed, failed, claimed]) await follow(id, 'queued');
  await boss.queue.complete(TRAINING, jobToTicketId(completed), null, { includeQueued: true });
  await sql`update atelier_boss.job set state = 'failed' where group_id = ${failed}`.execute(db);
  assert.equal((await fetch())?.jobId, claimed);
  for (const id of [missing, completed, failed, claimed, gone]) {
    assert.equal(await tickets.claim(id, []), undefined);
    const ticket = await fetch();
    assert.equal(ticket?.jobId, id === claimed || id === gone ? undefined : id);
  }
});

test('claims of dead processes end within a minute, and waiting tickets stay for a year', {
  skip: withoutPostgres,
}, async (t) => {
  const { boss } = await ticketsFor(t);
  const queue = await boss.queue.getQueue(TRAINING);
  assert.deepEqual(
    [queue?.heartbeatSeconds, queue?.expireInSeconds, queue?.retryDelay, queue?.deleteAfterSeconds],
    [10, 60, 0, 0],
  );
  assert.deepEqual([queue?.retentionSeconds, queue?.retryLimit], [365 * 24 * 60 * 60, 1_000_000]);
});
