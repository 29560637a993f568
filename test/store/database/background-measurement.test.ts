import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createMeasurement } from '../../../src/store/database/background-measurement.ts';

/** Measures with a clock that the test sets; each measurement takes `ms`. */
function setUp(t: TestContext, ms: number) {
  const clock = { now: 0 };
  t.mock.method(performance, 'now', () => clock.now);
  const state = { measured: 0, fails: false };
  const read = createMeasurement(async () => {
    clock.now += ms;
    state.measured += 1;
    if (state.fails) throw new Error('no disk');
    return state.measured;
  });
  return { clock, state, read };
}

test('all readers share a measurement, and a short one is repeated after 10 s', async (t) => {
  const { clock, state, read } = setUp(t, 1);
  const both = await Promise.all([read(), read()]);
  assert.deepEqual(
    both.map((last) => last?.value),
    [1, 1],
  );
  clock.now = 10_000;
  assert.equal((await read())?.value, 1);
  clock.now = 10_001;
  assert.equal((await read())?.value, 2);
  assert.equal(state.measured, 2);
});

test('measuring takes at most a hundredth of the time', async (t) => {
  const { clock, read } = setUp(t, 300);
  await read();
  clock.now = 300 + 30_000 - 1;
  assert.equal((await read())?.value, 1);
  clock.now += 1;
  assert.equal((await read())?.value, 2);
});

test('a measurement that fails leaves none, until the next one', async (t) => {
  const { clock, state, read } = setUp(t, 1);
  await read();
  clock.now = 20_000;
  state.fails = true;
  assert.equal(await read(), null);
  assert.equal(await read(), null);
  assert.equal(state.measured, 2);
  clock.now = 40_000;
  state.fails = false;
  assert.equal((await read())?.value, 3);
});

test('a reader does not wait for a slow measurement, and finds it later', async () => {
  const slow = Promise.withResolvers<string>();
  const read = createMeasurement(() => slow.promise);
  assert.equal(await read(0), null);
  slow.resolve('measured');
  await slow.promise;
  assert.equal((await read())?.value, 'measured');
});
