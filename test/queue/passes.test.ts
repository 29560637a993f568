import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createPasses } from '../../src/queue/passes.ts';

const reportNone = (error: unknown) => assert.fail(String(error));

test('requests during a pass start one more after it', async () => {
  const ends: (() => void)[] = [];
  const passes = createPasses(() => new Promise<void>((resolve) => ends.push(resolve)), reportNone);
  passes.request();
  passes.request();
  passes.request();
  assert.equal(ends.length, 1);
  ends[0]!();
  await turn();
  assert.equal(ends.length, 2);
  ends[1]!();
  await turn();
  assert.equal(ends.length, 2);
  passes.request();
  assert.equal(ends.length, 3);
  ends[2]!();
  await passes.close();
});

test('the first of successive failures is reported, and the first after a success again', async () => {
  const outcomes = ['first', 'second', null, 'third', 'fourth'];
  const reported: unknown[] = [];
  const passes = createPasses(
    async () => {
      const failure = outcomes.shift();
      if (failure !== null) throw failure;
    },
    (error) => reported.push(error),
  );
  while (outcomes.length > 0) {
    passes.request();
    await turn();
  }
  assert.deepEqual(reported, ['first', 'third']);
});

test('a closed one finishes its pass, and starts no other', async () => {
  let end!: () => void;
  let passed = 0;
  const passes = createPasses(async () => {
    passed += 1;
    await new Promise<void>((resolve) => (end = resolve));
  }, reportNone);
  passes.request();
  passes.request();
  const closed = passes.close();
  let isClosed = false;
  void closed.then(() => (isClosed = true));
  await turn();
  assert.equal(isClosed, false);
  end();
  await closed;
  passes.request();
  await turn();
  assert.equal(passed, 1);
});
