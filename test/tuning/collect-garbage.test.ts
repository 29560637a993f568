import assert from 'node:assert/strict';
import { constants, type NodeGCPerformanceDetail, PerformanceObserver } from 'node:perf_hooks';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { collectGarbageAtRest, collectLargeGarbage, dropShared } from '../../src/tuning/collect-garbage.ts';
import { switchOff } from '../../src/tuning/switches.ts';

const LARGE = 2 ** 26;

/** Bytes by which the memory of arrays has grown after one that is not referenced any more. */
function leftBehind(bytes = LARGE): number {
  const before = process.memoryUsage().arrayBuffers;
  // In a function of its own, so that no register refers to the array.
  const allocate = () => new Uint8Array(bytes).fill(1).length;
  allocate();
  collectLargeGarbage();
  return process.memoryUsage().arrayBuffers - before;
}

test('leaves small arrays to the engine, because a collection takes milliseconds', () => {
  assert.equal(leftBehind(1000), 1000);
});

test('frees large arrays that are not referenced any more, unless that is switched off', (t) => {
  assert.ok(leftBehind() < LARGE);
  t.after(() => switchOff([]));
  switchOff(['collect-garbage']);
  assert.ok(leftBehind() >= LARGE);
});

test('collects once 32 MiB are outside of the heap', (t) => {
  const read = process.memoryUsage;
  let external = 2 ** 25;
  t.mock.method(process, 'memoryUsage', () => ({ ...read(), external }));
  assert.ok(leftBehind(2 ** 20) < 2 ** 20);
  external = 2 ** 25 - 1;
  assert.equal(leftBehind(2 ** 20), 2 ** 20);
});

/** Mocks the interval at which rest is measured. */
function observeCollections(t: TestContext) {
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    const entries = list.getEntries() as { readonly detail?: NodeGCPerformanceDetail }[];
    const forced = entries.filter(
      ({ detail }) => detail!.flags! & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED,
    );
    collections += forced.length;
  });
  observer.observe({ entryTypes: ['gc'] });
  t.after(() => observer.disconnect());
  t.mock.timers.enable({ apis: ['setInterval'] });
  let utilization = 0.03;
  t.mock.method(performance, 'eventLoopUtilization', () => ({ idle: 0, active: 0, utilization }));
  return {
    rest: () => {
      utilization = 0.01;
    },
    /** An entry is observed some turns of the event loop after its collection. */
    async collectionsAfter(ms: number): Promise<number> {
      t.mock.timers.tick(ms);
      for (let turn = 0; turn < 10; turn++) await nextTurn();
      return collections;
    },
  };
}

test('collects the garbage of a start once, after five seconds without work', async (t) => {
  const { rest, collectionsAfter } = observeCollections(t);
  collectGarbageAtRest();
  assert.equal(await collectionsAfter(5000), 0, 'the thread is at work');
  rest();
  assert.equal(await collectionsAfter(4999), 0);
  assert.equal(await collectionsAfter(1), 1);
  assert.equal(await collectionsAfter(5000), 1);
});

test('collects dropped shared memory once it is 32 MiB, and again at rest', async (t) => {
  const { rest, collectionsAfter } = observeCollections(t);
  dropShared(2 ** 25 - 1);
  assert.equal(await collectionsAfter(5000), 0);
  dropShared(1);
  dropShared(2 ** 25);
  assert.equal(await collectionsAfter(0), 1);
  rest();
  assert.equal(await collectionsAfter(5000), 2);
  assert.equal(await collectionsAfter(5000), 2);
});

test('collects after a task that has used 32 MiB of shared memory', async (t) => {
  const { collectionsAfter } = observeCollections(t);
  collectLargeGarbage(2 ** 20);
  assert.equal(await collectionsAfter(0), 0);
  collectLargeGarbage(2 ** 25);
  assert.equal(await collectionsAfter(0), 1);
});
