import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createImageSlots, imageSlots } from '../../src/images/slots.ts';
import { isAtelierError } from '../datasets/fixtures.ts';

/** Work that ends when `finish` is called. */
function controlled() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const state = { started: false };
  const work = () => {
    state.started = true;
    return promise;
  };
  return { state, work, finish: resolve };
}

test('runs as much work as there are slots, the rest in order', async () => {
  const slots = createImageSlots(2, 10);
  const all = Array.from({ length: 4 }, controlled);
  const done = all.map(({ work }) => slots.run(work));
  const started = () => all.map(({ state }) => state.started);
  assert.deepEqual(started(), [true, true, false, false]);
  all[1]!.finish();
  await done[1];
  await done[1];
  assert.deepEqual(started(), [true, true, true, false]);
  for (const { finish } of all) finish();
  await Promise.all(done);
});

test('rejects work beyond the limit of waiting work, and frees slots of failed work', async () => {
  const slots = createImageSlots(1, 1);
  const [running, waiting] = [controlled(), controlled()];
  const done = [slots.run(running.work), slots.run(waiting.work)];
  await assert.rejects(
    slots.run(async () => {}),
    isAtelierError('overloaded', /^1 requests already wait .* Try again/),
  );
  for (const { finish } of [running, waiting]) finish();
  await Promise.all(done);
  await assert.rejects(
    slots.run(() => Promise.reject(new RangeError('broken'))),
    RangeError,
  );
  assert.equal(await slots.run(async () => 'free'), 'free');
});

test('an abort ends the waiting at once and makes room; work that runs goes on', async () => {
  const slots = createImageSlots(1, 1);
  const [running, abandoned, next] = [controlled(), controlled(), controlled()];
  const [first, second] = [new AbortController(), new AbortController()];
  const done = slots.run(running.work, () => first.signal);
  const left = slots.run(abandoned.work, () => second.signal);
  first.abort();
  second.abort(new Error('left'));
  await assert.rejects(left, /left/);
  const last = slots.run(next.work);
  running.finish();
  next.finish();
  await Promise.all([done, last]);
  assert.deepEqual([abandoned.state.started, next.state.started], [false, true]);
  await assert.rejects(
    Promise.all([
      slots.run(controlled().work),
      slots.run(next.work, () => AbortSignal.abort(new Error('gone'))),
    ]),
    /gone/,
  );
});

test('small work does not wait for large work', () => {
  assert.equal(imageSlots(1, 784), imageSlots(64, 512 * 512));
  assert.equal(imageSlots(65, 784), imageSlots(1, 512 * 512 + 1));
  assert.notEqual(imageSlots(1, 784), imageSlots(65, 784));
});
