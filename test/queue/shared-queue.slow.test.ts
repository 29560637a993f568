import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { hasCode } from '../../src/errors.ts';
import type { AdmitJob } from '../../src/queue/job-queue.ts';
import { NOTHING } from '../../src/queue/local-runs.ts';
import { TRAINING } from '../../src/queue/pg-boss.ts';
import { jobToTicketId } from '../../src/queue/tickets.ts';
import { seeded } from '../support/seeded.ts';
import { withoutPostgres } from '../support/servers/postgres.ts';
import { type Process, type ProcessOptions, queueDatabase, startTwo } from './shared.ts';

const options = { skip: withoutPostgres };

async function twoProcesses(t: TestContext, ofA: ProcessOptions = {}, ofB: ProcessOptions = {}) {
  return startTwo(t, await queueDatabase(t), ofA, ofB);
}

/** Resolves when each process knows of the other. */
async function untilAcquainted(...processes: readonly Process[]): Promise<void> {
  for (const { replicas } of processes) {
    await new Promise<void>((resolve) => {
      const check = () => replicas.live().length === processes.length && resolve();
      replicas.onBeat(check);
      check();
    });
  }
}

test('each job runs once, in the order of creation', options, async (t) => {
  const { create, log, started, untilStarted } = await twoProcesses(t);
  const ids = await create(8);
  for (const id of ids) {
    (await untilStarted(id)).end(id);
    await log.until(`ends ${id}`);
  }
  assert.deepEqual(started().toSorted(), ids);
  // Two jobs run at once, so each starts at most one place too early or too late.
  for (const [place, id] of started().entries()) assert.ok(Math.abs(ids.indexOf(id) - place) <= 1);
});

test(
  'a job that is resumed comes before later ones, and requests reach the process that runs it',
  options,
  async (t) => {
    const { a, create, log, started, untilStarted } = await twoProcesses(t, {}, { slots: 0 });
    const [first, paused, cancelled, last] = (await create(4)) as [string, string, string, string];
    const { jobs } = a.store;
    await untilStarted(first);
    await jobs.requestPause(paused);
    await jobs.requestCancel(cancelled);
    await jobs.requestPause(first);
    await log.until(`a leaves ${first} paused`);
    await untilStarted(last);
    for (const id of [first, paused]) await jobs.resume(id);
    const third = await a.create();
    a.end(last);
    for (const id of [first, paused, third]) {
      (await untilStarted(id, log.lines.length - 1)).end(id);
      await log.until(`ends ${id}`);
    }
    assert.deepEqual(started(), [first, last, first, paused, third]);
    assert.equal((await jobs.get(cancelled))?.status, 'cancelled');
  },
);

test('a process that closes releases its job to another one at once', options, async (t) => {
  const { a, b, create, log, untilStarted } = await twoProcesses(t);
  const [first, second, third] = (await create(3)) as [string, string, string];
  const [closing, other] = (await untilStarted(first)) === a ? [a, b] : [b, a];
  await untilStarted(second);
  const before = log.lines.length;
  await closing.close();
  other.end(second);
  assert.equal(await untilStarted(first, before), other);
  other.end(first);
  assert.equal(await untilStarted(third), other);
});

test('a job that must wait or is not taken stays available to other processes', options, async (t) => {
  const left = new Set<string>();
  const waiting = new Set<string>();
  // Notices start jobs as soon as they exist, so until the sets are filled every job has to wait.
  let isSetUp = false;
  const admit: AdmitJob = async (id) => (isSetUp && !left.has(id) && !waiting.has(id) ? NOTHING : null);
  const { a, b, log, untilStarted } = await twoProcesses(t, { admit, isLeft: (id) => left.has(id) });
  const ids = [await a.create(), await a.create(), await a.create(), await a.create()];
  const [first, second, third, fourth] = ids as [string, string, string, string];
  left.add(first);
  waiting.add(third);
  isSetUp = true;
  a.queue.notify();
  assert.equal(await untilStarted(second), a);
  b.queue.notify();
  assert.equal(await untilStarted(first), b);
  a.end(second);
  await log.until(`ends ${second}`);
  b.end(first);
  assert.equal(await untilStarted(third), b);
  assert.equal(await untilStarted(fourth), a);
});

test(
  'free slots are used before a job stops, and then one job stops for each waiting job',
  options,
  async (t) => {
    const { a, b, log, untilStarted } = await twoProcesses(t);
    await untilAcquainted(a, b);
    const low = await a.create(-1);
    const ofLow = await untilStarted(low);
    const usual = await a.create();
    const ofUsual = await untilStarted(usual);
    assert.notEqual(ofUsual, ofLow);
    const left = () => log.lines.flatMap((line) => / leaves (.*)/.exec(line)?.[1] ?? []);
    const urgent = await a.create(5);
    assert.equal(await untilStarted(urgent), ofLow);
    assert.deepEqual(left(), [`${low} queued`]);
    const higher = await a.create(7);
    assert.equal(await untilStarted(higher), ofUsual);
    assert.deepEqual(left(), [`${low} queued`, `${usual} queued`]);
    const before = log.lines.length;
    ofLow.end(urgent);
    assert.equal(await untilStarted(usual, before), ofLow);
    ofUsual.end(higher);
    assert.equal(await untilStarted(low, before), ofUsual);
    const { data } = await a.store.events.list(low, { limit: 10 });
    assert.deepEqual(
      data.map(({ data }) => data),
      [
        { to: 'queued' },
        { from: 'queued', to: 'running' },
        { from: 'running', to: 'queued', preemptedBy: urgent },
        { from: 'queued', to: 'running' },
      ],
    );
    assert.equal((await a.store.jobs.get(low))?.attempts, 1);
  },
);

test('a job that cannot use the free slots stops another one after a while', options, async (t) => {
  // As if b had no memory for any job.
  const refuse: AdmitJob = async () => null;
  const { a, b, log, untilStarted } = await twoProcesses(t, {}, { admit: refuse });
  await untilAcquainted(a, b);
  const low = await a.create();
  a.queue.notify();
  await untilStarted(low);
  const urgent = await a.create(1);
  assert.equal(await untilStarted(urgent), a);
  assert.equal(log.lines.filter((line) => line.includes('leaves')).length, 1);
});

test('a ticket whose job is not queued is removed without work', options, async (t) => {
  const { a, b, started, untilStarted } = await twoProcesses(t, { slots: 0 });
  const stale = await a.create();
  await a.store.jobs.requestCancel(stale);
  await a.boss.queue.send(TRAINING, null, { id: jobToTicketId(stale), priority: 1, group: { id: stale } });
  const next = await a.create();
  b.queue.notify();
  await untilStarted(next);
  assert.deepEqual(started(), [next]);
  assert.deepEqual(await a.boss.queue.findJobs(TRAINING, { id: jobToTicketId(stale) }), []);
});

test('no job is lost or runs twice under random requests at both processes', options, async (t) => {
  const { a, b, create, log, started } = await twoProcesses(t, { slots: 2 }, { slots: 2 });
  const ids = await create(30);
  const random = seeded(t);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const ignoreIllegal = (error: unknown) => {
    if (!hasCode(error, 'illegal-transition')) throw error;
  };
  const request = async ({ store: { jobs } }: Process) => {
    const id = pick([...ids, ...started().slice(-20)]);
    const { requestPause, resume, requestCancel } = jobs;
    await pick([requestPause, resume, requestPause, resume, resume, requestCancel])(id).catch(ignoreIllegal);
  };
  const end = (id: string) => {
    for (const each of [a, b]) each.end(id);
  };
  for (let n = 0; n < 100; n++) {
    await Promise.all([request(a), request(b), request(pick([a, b]))]);
    if (n % 5 === 0 && started().length > 0) end(pick(started()));
  }
  const isOpen = async (id: string) => (await a.store.jobs.get(id))!.finishedAt === null;
  for (const id of ids) {
    while (await isOpen(id)) {
      await a.store.jobs.resume(id).catch(ignoreIllegal);
      for (const each of started()) end(each);
      await wait(10);
    }
  }
  for (const id of ids) {
    const { status } = (await a.store.jobs.get(id))!;
    const ends = log.lines.filter((line) => line.endsWith(`ends ${id}`));
    assert.equal(ends.length, status === 'failed' ? 1 : 0, `${id} ${status}`);
    const leaves = log.lines.filter((line) => line.includes(`leaves ${id}`));
    assert.equal(started().filter((each) => each === id).length, ends.length + leaves.length);
  }
  assert.deepEqual(await a.boss.queue.findJobs(TRAINING), []);
  t.diagnostic(`${log.lines.filter((line) => line.includes('leaves')).length} runs were interrupted`);
});
