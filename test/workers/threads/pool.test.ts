import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { AtelierError, messageWithoutPaths } from '../../../src/errors.ts';
import { createPool } from '../../../src/workers/threads/pool.ts';
import type { Order, TestTasks } from './answering.worker.ts';

/** A pool, with all threads started so far and the number of reported losses. */
function startPool(t: TestContext, idleMs = 60_000, size = 1) {
  let restarts = 0;
  const threads: Worker[] = [];
  const record = (worker: Worker) => threads.push(worker);
  process.on('worker', record);
  const pool = createPool<TestTasks>(
    new URL('./answering.worker.ts', import.meta.url),
    () => restarts++,
    idleMs,
    size,
  );
  t.after(async () => {
    process.off('worker', record);
    await pool.close();
  });
  const run = (order: Order, signal?: AbortSignal, admit?: () => Disposable) =>
    pool.run('obey', order, signal, [], admit);
  return { pool, run, threads, restarts: () => restarts };
}

const codeOf = (code: string) => (error: unknown) => error instanceof AtelierError && error.code === code;

test('an error of a task arrives with its code and details', async (t) => {
  const { run, restarts } = startPool(t);
  await assert.rejects(run('refuse'), (error) => {
    assert.ok(error instanceof AtelierError);
    assert.deepEqual([error.code, error.message], ['invalid-pixels', 'a pixel is 256']);
    assert.deepEqual(error.details, [{ pointer: '#/image/3', detail: 'is 256' }]);
    return true;
  });
  assert.equal(await run('answer'), 'answered');
  assert.equal(restarts(), 0);
});

test('a bug in a task fails its request by name and ends its thread, and another one serves the next request', async (t) => {
  const { run, threads, restarts } = startPool(t);
  await assert.rejects(
    run('throw'),
    (error) => codeOf('worker-crashed')(error) && /a defect/.test(`${error}`),
  );
  assert.equal(await run('answer'), 'answered');
  assert.deepEqual([threads.length, restarts()], [2, 1]);
});

test('a thread that exits is replaced and reported', async (t) => {
  const { run, threads, restarts } = startPool(t);
  await assert.rejects(run('exit'), codeOf('worker-crashed'));
  assert.equal(await run('answer'), 'answered');
  assert.equal(threads.length, 2);
  assert.equal(restarts(), 1);
});

test('a thread that ends while it starts fails its request', async (t) => {
  const { run, threads, restarts } = startPool(t);
  await assert.rejects(run('exit'), codeOf('worker-crashed'));
  const waiting = run('answer');
  await setImmediate();
  assert.equal(threads.length, 2);
  await threads.at(-1)!.terminate();
  await assert.rejects(waiting, codeOf('worker-crashed'));
  assert.equal(await run('answer'), 'answered');
  assert.equal(restarts(), 2);
});

test('an aborted request ends its thread, and another thread serves the next one', async (t) => {
  const { run, threads } = startPool(t);
  assert.equal(await run('answer'), 'answered');
  const hangUp = new AbortController();
  const spinning = run('spin', hangUp.signal);
  const exited = once(threads[0]!, 'exit');
  await setImmediate(); // the thread has the task
  hangUp.abort(new Error('hung up'));
  await assert.rejects(spinning, /hung up/);
  await exited;
  assert.equal(await run('answer'), 'answered');
});

test('a request aborted in the queue never reaches a thread', async (t) => {
  const { run, threads } = startPool(t);
  assert.equal(await run('answer'), 'answered');
  const [first, second] = [new AbortController(), new AbortController()];
  const spinning = run('spin', first.signal);
  const waiting = run('spin', second.signal);
  second.abort(new Error('left the queue'));
  await assert.rejects(waiting, /left the queue/);
  assert.equal(threads.length, 1);
  first.abort(new Error('hung up'));
  await assert.rejects(spinning, /hung up/);
});

test('rejects a request immediately if 64 are waiting', async (t) => {
  const { run } = startPool(t);
  assert.equal(await run('answer'), 'answered');
  const hangUp = new AbortController();
  const spinning = run('spin', hangUp.signal);
  const waiting = Array.from({ length: 64 }, () => run('answer'));
  await assert.rejects(run('answer'), codeOf('overloaded'));
  hangUp.abort(new Error('hung up'));
  await assert.rejects(spinning, /hung up/);
  assert.deepEqual(await Promise.all(waiting), new Array(64).fill('answered'));
});

test('as many tasks run at the same time as the pool has threads, which start when they are needed', async (t) => {
  const { run, threads } = startPool(t, undefined, 2);
  const hangUp = new AbortController();
  const spinning = run('spin', hangUp.signal);
  assert.equal(await run('answer'), 'answered');
  assert.equal(await run('answer'), 'answered');
  assert.equal(threads.length, 2);
  hangUp.abort(new Error('hung up'));
  await assert.rejects(spinning, /hung up/);
  assert.equal(await run('answer'), 'answered');
  assert.equal(threads.length, 3);
});

test('the message of a crash contains no path', () => {
  const messages = {
    "ENOENT: no such file, rename '/srv/a b/x' -> '/srv/y'": 'ENOENT: no such file, rename [path] -> [path]',
    "Cannot find module '/app/x.ts' imported from /app/src/y.ts":
      'Cannot find module [path] imported from [path]',
    'Cannot import file:///app/x.ts.': 'Cannot import [path]',
    'Wrong value of #/network/hidden, n/a, 1 / 2': 'Wrong value of #/network/hidden, n/a, 1 / 2',
  };
  for (const [message, expected] of Object.entries(messages)) {
    assert.equal(messageWithoutPaths(new Error(message)), expected);
  }
});

test('admits a task when a thread is free, and releases its reservation when it has ended', async (t) => {
  const { run } = startPool(t);
  let held = 0;
  let most = 0;
  const admit = () => {
    most = Math.max(most, ++held);
    return { [Symbol.dispose]: () => void held-- };
  };
  await Promise.all([run('answer', undefined, admit), run('answer', undefined, admit)]);
  assert.deepEqual([most, held], [1, 0]);
  const refuse = () => {
    throw new AtelierError('overloaded', 'No memory.');
  };
  await assert.rejects(run('answer', undefined, refuse), codeOf('overloaded'));
  assert.equal(await run('answer'), 'answered');
});

test('moves the memory of a task to the thread and that of its result back', async (t) => {
  const { pool } = startPool(t);
  const bytes = new Uint8Array(10_000);
  const filled = await pool.run('fill', { bytes, value: 7 }, undefined, [bytes]);
  assert.equal(bytes.length, 0);
  assert.ok(filled.length === 10_000 && filled.every((value) => value === 7));
});

test('a thread without work ends, and another one serves the next request', async (t) => {
  const { run, threads, restarts } = startPool(t, 0);
  assert.equal(await run('answer'), 'answered');
  await once(threads[0]!, 'exit');
  assert.equal(await run('answer'), 'answered');
  assert.deepEqual([threads.length, restarts()], [2, 0]);
});

test('only a thread that runs a task keeps the process alive', async (t) => {
  const ports = () => process.getActiveResourcesInfo().filter((type) => type === 'MessagePort').length;
  const { run } = startPool(t);
  const none = ports();
  for (const _ of [1, 2]) {
    const running = run('answer');
    await setImmediate();
    assert.equal(ports(), none + 1);
    await running;
    assert.equal(ports(), none);
  }
});
