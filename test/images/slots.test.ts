import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageSlots, MAX_WAITING, SMALL_WORK } from '../../src/images/slots.ts';

const { images, pixels } = SMALL_WORK;

test('small work has at most 64 images and the pixels of an image of 512 × 512', () => {
  assert.deepEqual(SMALL_WORK, { images: 64, pixels: 262_144 });
  assert.deepEqual(MAX_WAITING, { small: 512, large: 64 });
});

/** Takes all permits, and returns their number. */
function exhaust(slots: ReturnType<typeof imageSlots>): number {
  let taken = 0;
  while (slots.tryAcquire()) taken += 1;
  return taken;
}

test('sixteen small works run at once, and one large one beside them; either limit makes work large', async () => {
  const [small, large] = [imageSlots(1, 1), imageSlots(images + 1, 1)];
  assert.equal(imageSlots(images, pixels), small);
  assert.equal(imageSlots(1, pixels + 1), large);
  assert.notEqual(small, large);
  assert.deepEqual([exhaust(small), exhaust(large)], [16, 1]);
  for (const [slots, limit] of [
    [small, MAX_WAITING.small],
    [large, MAX_WAITING.large],
  ] as const) {
    const cancellation = new AbortController();
    const waiting = Array.from({ length: limit }, () => slots.acquire(cancellation.signal));
    await assert.rejects(slots.acquire(), {
      code: 'overloaded',
      message: new RegExp(`^${limit} requests are already waiting for their images to be decoded or encoded`),
    });
    cancellation.abort();
    const ends = await Promise.allSettled(waiting);
    assert.ok(ends.every(({ status }) => status === 'rejected'));
  }
});
