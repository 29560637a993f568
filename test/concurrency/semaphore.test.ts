import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSemaphore, type Semaphore } from '../../src/concurrency/semaphore.ts';
import { imageSlots } from '../../src/images/slots.ts';
import { isAtelierError } from '../datasets/fixtures.ts';

/** Work that ends when `finish` is called. */
function controlled() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const state = { started: false };
  async function runIn(semaphore: Semaphore, signal?: AbortSignal): Promise<void> {
    using _permit = await semaphore.acquire(signal);
    state.started = true;
    await promise;
  }
  return { state, runIn, finish: resolve };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test('runs as much work as there are permits, the rest in order', async () => {
  const semaphore = createSemaphore(2);
  const all = Array.from({ length: 4 }, controlled);
  const done = all.map(({ runIn }) => runIn(semaphore));
  const started = () => all.map(({ state }) => state.started);
  await settle();
  assert.deepEqual(started(), [true, true, false, false]);
  all[1]!.finish();
  await settle();
  assert.deepEqual(started(), [true, true, true, false]);
  for (const { finish } of all) finish();
  await Promise.all(done);
});

test('gives a permit at once only if one is free', () => {
  const semaphore = createSemaphore(1);
  const permit = semaphore.tryAcquire();
  assert.ok(permit);
  assert.equal(semaphore.tryAcquire(), undefined);
  permit[Symbol.dispose]();
  assert.ok(semaphore.tryAcquire());
});

test('rejects work beyond the limit of waiting work', async () => {
  const semaphore = createSemaphore(1, 1, 'a seat');
  const [running, waiting] = [controlled(), controlled()];
  const done = [running.runIn(semaphore), waiting.runIn(semaphore)];
  await assert.rejects(
    semaphore.acquire(),
    isAtelierError('overloaded', /^1 requests are already waiting for a seat\. Try again shortly\.$/),
  );
  for (const { finish } of [running, waiting]) finish();
  await Promise.all(done);
});

test('frees the permit of work that fails', async () => {
  const semaphore = createSemaphore(1);
  await assert.rejects(
    semaphore.run(() => Promise.reject(new RangeError('broken'))),
    RangeError,
  );
  assert.equal(await semaphore.run(async () => 'free'), 'free');
});

test('an abort ends the wait at once and makes room, but does not stop running work', async () => {
  const semaphore = createSemaphore(1, 1, 'a seat');
  const [running, abandoned, next] = [controlled(), controlled(), controlled()];
  const [first, second] = [new AbortController(), new AbortController()];
  const done = running.runIn(semaphore, first.signal);
  const left = abandoned.runIn(semaphore, second.signal);
  first.abort();
  second.abort(new Error('left'));
  await assert.rejects(left, /left/);
  const last = next.runIn(semaphore);
  running.finish();
  next.finish();
  await Promise.all([done, last]);
  assert.deepEqual([abandoned.state.started, next.state.started], [false, true]);
});

test('an aborted signal gets no permit, although one is free', async () => {
  const semaphore = createSemaphore(1);
  await assert.rejects(semaphore.acquire(AbortSignal.abort(new Error('gone'))), /gone/);
  assert.ok(semaphore.tryAcquire());
});

test('small images do not wait for large ones', () => {
  assert.equal(imageSlots(1, 784), imageSlots(64, 512 * 512));
  assert.equal(imageSlots(65, 784), imageSlots(1, 512 * 512 + 1));
  assert.notEqual(imageSlots(1, 784), imageSlots(65, 784));
});
