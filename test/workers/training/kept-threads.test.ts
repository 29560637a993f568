import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { trainingThreadBytes } from '../../../src/numerics/training/memory.ts';
import { createTrainingThreads } from '../../../src/workers/training/kept-threads.ts';
import type { TrainingThread } from '../../../src/workers/training/thread.ts';

type Task = Parameters<TrainingThread['run']>[0];

/** Threads that only record what is done with them. kept-threads.slow.test.ts has real ones. */
function open(t: TestContext) {
  const log: string[] = [];
  let count = 0;
  function start(threads: number): TrainingThread & { crash(): void } {
    const name = `${++count}`;
    const exited = Promise.withResolvers<void>();
    let isUsable = true;
    log.push(`start ${name}`);
    return {
      threads,
      run: () => {
        log.push(`run on ${name}`);
        return { stop: () => log.push(`stop ${name}`), ended: Promise.resolve() };
      },
      isUsable: () => isUsable,
      async end() {
        log.push(`end ${name}`);
        exited.resolve();
      },
      exited: exited.promise,
      crash() {
        isUsable = false;
        exited.resolve();
      },
    };
  }
  const started: ReturnType<typeof start>[] = [];
  const kept = createTrainingThreads({
    start(threads) {
      started.push(start(threads));
      return started.at(-1)!;
    },
  });
  t.after(kept.close);
  const begin = (threads: number) => kept.run({ threads } as Task, async () => {});
  return { ...kept, started, log, begin, run: async (threads = 1) => begin(threads).ended };
}

test('a job gets the kept thread that was used last, if it has as many threads', async (t) => {
  const { begin, bytes, log, run, close } = open(t);
  const [first, second] = [begin(1), begin(1)];
  assert.equal(bytes(), 0);
  await first.ended;
  await second.ended;
  assert.equal(bytes(), 2 * trainingThreadBytes(1));
  log.length = 0;
  const third = begin(1);
  assert.deepEqual([log, bytes()], [['run on 2'], trainingThreadBytes(1)]);
  await third.ended;
  // Another number of threads: the thread that has been idle for the longest time makes room.
  await run(3);
  assert.deepEqual(log, ['run on 2', 'end 1', 'start 3', 'run on 3']);
  assert.equal(bytes(), trainingThreadBytes(1) + trainingThreadBytes(3));
  await close();
  assert.deepEqual([log.slice(4), bytes()], [['end 2', 'end 3'], 0]);
});

test('a crashed thread gets no further job', async (t) => {
  const { begin, bytes, log, run, started } = open(t);
  const task = begin(1);
  started[0]!.crash();
  await task.ended;
  assert.equal(bytes(), 0);
  await run();
  assert.deepEqual(log, ['start 1', 'run on 1', 'end 1', 'start 2', 'run on 2']);
  // While it is idle.
  started[1]!.crash();
  await started[1]!.exited;
  assert.equal(bytes(), 0);
});

test('idle threads end when their memory is needed, no more of them than necessary', async (t) => {
  const { begin, bytes, evict, log } = open(t);
  const tasks = [begin(1), begin(1), begin(1)];
  for (const { ended } of tasks) await ended;
  log.length = 0;
  evict(0);
  assert.deepEqual(log, []);
  evict(trainingThreadBytes(1) + 1);
  assert.deepEqual([log, bytes()], [['end 1', 'end 2'], trainingThreadBytes(1)]);
});

test('a stop reaches the thread, which ends after five seconds without jobs', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { begin, bytes, log, run } = open(t);
  const { stop, ended } = begin(1);
  stop();
  await ended;
  t.mock.timers.tick(4999);
  await run();
  t.mock.timers.tick(4999);
  assert.deepEqual(log, ['start 1', 'run on 1', 'stop 1', 'run on 1']);
  t.mock.timers.tick(1);
  assert.deepEqual([log.at(-1), bytes()], ['end 1', 0]);
});
