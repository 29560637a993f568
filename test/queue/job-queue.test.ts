import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createJobQueue } from '../../src/queue/job-queue.ts';
import { Preemption, type PreemptJob } from '../../src/queue/local-runs.ts';
import { mockWaits } from '../support/mocked-builtins.ts';

const toJob = (id: string | undefined) => (id === undefined ? undefined : { id });

/** A queue over a list of waiting jobs, which run until the test ends or stops them. */
function controlledQueue(
  places: number,
  hasMemory: (id: string) => boolean = () => true,
  preempt: PreemptJob = async () => undefined,
) {
  const waiting: string[] = [];
  const log: string[] = [];
  const freed: string[] = [];
  const ends = new Map<string, () => void>();
  const waiters: (() => void)[] = [];
  const append = (line: string) => {
    log.push(line);
    for (const wake of waiters.splice(0)) wake();
  };
  const queue = createJobQueue({
    next: async (after) => toJob(waiting[after === undefined ? 0 : waiting.indexOf(after.id) + 1]),
    admit: async (id) => (hasMemory(id) ? { bytes: 1, [Symbol.dispose]: () => freed.push(id) } : null),
    preempt,
    async runJob(id, signal) {
      waiting.splice(waiting.indexOf(id), 1);
      const ended = Promise.withResolvers<void>();
      ends.set(id, ended.resolve);
      append(`${id} runs`);
      await Promise.race([ended.promise, once(signal, 'abort')]);
      if (id === 'broken') throw new Error('no such table');
      const { reason } = signal;
      if (reason instanceof Preemption) append(`${id} stopped for ${reason.by}`);
      else append(`${id} ${signal.aborted ? 'stopped' : 'done'}`);
    },
    slots: places,
    onDefect: (id, error) => append(`${id}: ${error instanceof Error ? error.message : error}`),
  });
  return {
    log,
    freed,
    queue,
    add(...ids: string[]) {
      waiting.push(...ids);
      queue.notify();
    },
    end: (id: string) => ends.get(id)!(),
    async until(line: string) {
      while (!log.includes(line)) await new Promise<void>((resolve) => waiters.push(resolve));
    },
  };
}

test('runs as many jobs as there are slots, in queue order', async () => {
  const { add, end, until, log, queue } = controlledQueue(2);
  add('a', 'b', 'c', 'd');
  await until('b runs');
  end('b');
  await until('c runs');
  end('a');
  await until('d runs');
  assert.deepEqual(log, ['a runs', 'b runs', 'b done', 'c runs', 'a done', 'd runs']);
  await queue.close();
});

test('a stopped job frees its slot', async () => {
  const { add, until, log, queue } = controlledQueue(1);
  add('a', 'b');
  await until('a runs');
  queue.stop('a');
  queue.stop('nobody');
  await until('b runs');
  assert.deepEqual(log, ['a runs', 'a stopped', 'b runs']);
  await queue.close();
});

test('closing stops running jobs, starts no more, and waits for them', async () => {
  const { add, until, log, queue } = controlledQueue(1);
  add('a', 'b');
  await until('a runs');
  await queue.close();
  queue.notify();
  assert.deepEqual(log, ['a runs', 'a stopped']);
});

test('reports a failing runner, and runs the next job a second later', async (t) => {
  mockWaits(t);
  const { add, end, until, log, queue } = controlledQueue(1);
  add('broken', 'b');
  await until('broken runs');
  end('broken');
  await until('broken: no such table');
  await setImmediate();
  t.mock.timers.tick(999);
  await setImmediate();
  assert.deepEqual(log, ['broken runs', 'broken: no such table']);
  t.mock.timers.tick(1);
  await until('b runs');
  await queue.close();
});

test('reports an unreadable table and continues', async () => {
  const seen: unknown[] = [];
  let readable = false;
  const ran = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<void>();
  const queue = createJobQueue({
    async next(after) {
      if (!readable) throw new Error('locked');
      return after === undefined ? { id: 'a' } : undefined;
    },
    runJob: async () => ran.resolve(),
    slots: 1,
    onDefect(id, error) {
      seen.push([id, (error as Error).message]);
      failed.resolve();
    },
  });
  queue.notify();
  await failed.promise;
  readable = true;
  queue.notify();
  await ran.promise;
  await queue.close();
  assert.deepEqual(seen, [['none', 'locked']]);
});

test('a job that is not admitted and the jobs behind it wait until the next notification', async () => {
  let largest = 'a';
  const { add, end, until, log, freed, queue } = controlledQueue(3, (id) => id <= largest);
  add('a', 'b', 'c');
  await until('a runs');
  end('a');
  await until('a done');
  assert.deepEqual(log, ['a runs', 'a done']);
  largest = 'c';
  queue.notify();
  await until('c runs');
  assert.deepEqual(freed, ['a'], 'a reservation ends after the run');
  await queue.close();
  assert.deepEqual(freed.toSorted(), ['a', 'b', 'c']);
});

test('one job at a time stops for the next one, and gives it its slot', async () => {
  const calls: unknown[] = [];
  const preempt: PreemptJob = async (waiting, running, lacking) => {
    calls.push([waiting, running.map(({ id }) => id), lacking]);
    return waiting === 'c' ? 'a' : undefined;
  };
  const { add, end, until, log, queue } = controlledQueue(2, () => true, preempt);
  add('a', 'b', 'c', 'd');
  await until('c runs');
  end('b');
  await until('d runs');
  assert.deepEqual(log, ['a runs', 'b runs', 'a stopped for c', 'c runs', 'b done', 'd runs']);
  assert.deepEqual(calls, [
    ['c', ['a', 'b'], 'slot'],
    ['d', ['b', 'c'], 'slot'],
  ]);
  await queue.close();
});

test('a job that lacks memory stops a running one, although a slot is free', async () => {
  let largest = 'a';
  const preempt: PreemptJob = async (_waiting, _running, lacking) => {
    largest = 'b';
    return lacking === 'memory' ? 'a' : undefined;
  };
  const { add, until, log, queue } = controlledQueue(2, (id) => id <= largest, preempt);
  add('a', 'b');
  await until('b runs');
  assert.deepEqual(log, ['a runs', 'a stopped for b', 'b runs']);
  await queue.close();
});

test('a job that is left or claimed elsewhere is skipped, and its admission ends', async () => {
  const claims: unknown[] = [];
  const freed: string[] = [];
  const ran = Promise.withResolvers<string>();
  const order = ['left', 'lost', 'own'];
  const queue = createJobQueue({
    next: async (after) => toJob(order[after === undefined ? 0 : order.indexOf(after.id) + 1]),
    isLeft: async ({ id }) => id === 'left',
    admit: async (id) => ({ bytes: 1, [Symbol.dispose]: () => freed.push(id) }),
    async claim(id, skipped) {
      claims.push([id, [...skipped]]);
      return id === 'lost' ? undefined : { async putBack() {} };
    },
    async runJob(id, signal) {
      ran.resolve(id);
      await once(signal, 'abort');
    },
    slots: 1,
    onDefect: assert.ifError,
  });
  queue.start();
  assert.equal(await ran.promise, 'own');
  assert.deepEqual(claims, [
    ['lost', ['left']],
    ['own', ['left', 'lost']],
  ]);
  assert.deepEqual(freed, ['lost']);
  await queue.close();
  assert.deepEqual(freed, ['lost', 'own']);
});

test('a claim is put back if the queue closes meanwhile, or the run fails', async () => {
  for (const closes of [true, false]) {
    const [claimed, back, defect] = [1, 2, 3].map(() => Promise.withResolvers<void>()) as [
      PromiseWithResolvers<void>,
      PromiseWithResolvers<void>,
      PromiseWithResolvers<void>,
    ];
    const continues = Promise.withResolvers<void>();
    let runs = 0;
    const queue = createJobQueue({
      next: async () => ({ id: 'a' }),
      async claim() {
        claimed.resolve();
        await continues.promise;
        return { putBack: async () => back.resolve() };
      },
      async runJob() {
        runs++;
        throw new Error('a defect');
      },
      slots: 1,
      onDefect: () => defect.resolve(),
    });
    queue.start();
    await claimed.promise;
    const closed = closes ? queue.close() : defect.promise;
    continues.resolve();
    await Promise.all([back.promise, closed]);
    await queue.close();
    assert.equal(runs, closes ? 0 : 1);
  }
});

test('a process without slots does not read the queue', async () => {
  const fail = async () => assert.fail();
  const queue = createJobQueue({ next: fail, runJob: fail, slots: 0, onDefect: assert.ifError });
  queue.start();
  queue.notify();
  await queue.close();
});

test('a process whose queue is empty is told so, and not while a job waits or runs', async () => {
  const waiting = ['a'];
  let emptied = 0;
  let hasMemory = false;
  const asked: string[] = [];
  const empty = Promise.withResolvers<void>();
  const queue = createJobQueue({
    next: async (after) => toJob(after === undefined ? waiting[0] : undefined),
    async admit(id) {
      asked.push(id);
      return hasMemory ? { bytes: 1, [Symbol.dispose]() {} } : null;
    },
    onEmpty() {
      emptied += 1;
      empty.resolve();
    },
    runJob: async () => void waiting.pop(),
    slots: 1,
    onDefect: assert.ifError,
  });
  queue.start();
  await setImmediate();
  assert.deepEqual([asked, emptied], [['a'], 0]);
  hasMemory = true;
  queue.notify();
  await empty.promise;
  assert.deepEqual(asked, ['a', 'a']);
  await queue.close();
});
