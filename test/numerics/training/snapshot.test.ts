/** Snapshots: they are copies, change nothing, and fit only their own training. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReferenceEngine } from '../../../src/numerics/reference/reference-engine.ts';
import type { LoopEvent, LoopReply } from '../../../src/numerics/training/loop-events.ts';
import type { TrainingPlan } from '../../../src/numerics/training/plan.ts';
import type { TrainingSnapshot } from '../../../src/numerics/training/snapshot.ts';
import { dense } from '../../support/dense.ts';
import { createKernel, runInterrupted, takeSnapshot } from '../interruptions.ts';
import { startLoop } from '../start-loop.ts';
import { plan, run, testExamples, train } from '../trainings.ts';

const early = { monitor: 'validationLoss', patience: 9, minDelta: 0, restoreBest: true } as const;
const training = { plan, train, test: testExamples };

const begin = (
  changes: Partial<TrainingPlan> = {},
  from: TrainingSnapshot | null = null,
  create = createReferenceEngine,
) => startLoop({ ...plan, ...changes }, train, testExamples, create, from);

function finish(loop: ReturnType<typeof begin>) {
  for (;;) {
    const { done, value } = loop.next();
    if (done) return value;
  }
}

/** A snapshot after `steps` steps; with `measured`, after the evaluation of their epoch. */
function snapshotAfter(steps: number, changes: Partial<TrainingPlan> = {}, measured = false) {
  const loop = begin(changes);
  for (let next = loop.next(); !next.done; next = loop.next()) {
    const { value } = next;
    if (value.kind === 'step' && value.step === steps && !measured) return takeSnapshot(loop);
    if (value.kind === 'epoch' && value.metrics.epoch === steps / 5 && measured) return takeSnapshot(loop);
  }
  throw new Error(`the training ended before step ${steps}`);
}

test('taking snapshots changes nothing, and each has the current position', () => {
  let isAsked = false;
  const { events, result } = run({}, createReferenceEngine, ({ kind }) => {
    if (kind !== 'snapshot') isAsked = false;
    if (isAsked) return;
    isAsked = true;
    return 'snapshot';
  });
  const undisturbed = run();
  assert.deepEqual(result, undisturbed.result);
  assert.deepEqual(
    events.filter(({ kind }) => kind !== 'snapshot'),
    undisturbed.events,
  );
  const stands = events.flatMap((event) => (event.kind === 'snapshot' ? [event.snapshot] : []));
  const epoch = [16, 32, 48, 64, 80, 0];
  assert.deepEqual(
    stands.map(({ examples }) => examples),
    [...epoch, ...epoch, ...epoch],
  );
  assert.deepEqual(
    stands.map(({ step }) => step),
    [1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 10, 11, 12, 13, 14, 15, 15],
  );
  assert.deepEqual(
    stands.map(({ end }) => end),
    [...new Array(17).fill(null), 'completed'],
  );
});

test('a snapshot holds copies: neither continuing nor resuming from it changes it', () => {
  const optimizer = { type: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0 } as const;
  const changes = { earlyStopping: early, optimizer };
  const loop = begin(changes);
  let next = loop.next();
  while (!next.done && next.value.kind !== 'epoch') next = loop.next();
  const snapshot = takeSnapshot(loop);
  assert.equal(snapshot.engine.moments.length, 1);
  const before = structuredClone(snapshot);
  for (const going of [loop, begin(changes, snapshot)]) {
    finish(going);
    assert.deepEqual(snapshot, before);
  }
});

test('the parameters of a result are not shared, so they can be transferred', () => {
  const changes = {
    earlyStopping: early,
    learningRate: 1.5,
    schedule: { type: 'constant' } as const,
    stopAtStep: 12,
  };
  const loop = begin(changes);
  let next = loop.next();
  while (!next.done && next.value.kind !== 'epoch') next = loop.next();
  const snapshot = takeSnapshot(loop);
  for (const going of [loop, begin(changes, snapshot)]) {
    const { parameters } = finish(going);
    assert.deepEqual(parameters, snapshot.best);
    assert.notEqual(parameters.buffer, snapshot.best!.buffer);
  }
});

test('the reply to a snapshot is the reply to the event before it', () => {
  for (const [kind, step] of [
    ['step', 7],
    ['epoch', 10],
  ] as const) {
    let steps = 0;
    const isThere = (event: LoopEvent) => {
      if (event.kind === 'step') steps = event.step;
      return event.kind === kind && steps === step;
    };
    const stopped = run({}, createReferenceEngine, (event) => (isThere(event) ? 'stop' : undefined));
    let isAsked = false;
    const asked = run({}, createReferenceEngine, (event): LoopReply => {
      if (event.kind === 'snapshot') return isAsked ? 'stop' : undefined;
      isAsked = isThere(event);
      return isAsked ? 'snapshot' : undefined;
    });
    assert.deepEqual(asked.result, stopped.result);
    assert.deepEqual(asked.result.stoppedAt, { step, reason: 'budget' });
  }
});

test('a stopped training that is interrupted before its result gives the same result', () => {
  for (const step of [7, 10]) {
    const answer = (event: LoopEvent) => (event.kind === 'step' && event.step === step ? 'stop' : undefined);
    const undisturbed = runInterrupted(training, createReferenceEngine, undefined, answer);
    const isInterrupted = (_: number, event: LoopEvent) =>
      event.kind === 'epoch' && event.metrics.epoch === 2;
    const resumed = runInterrupted(training, createReferenceEngine, isInterrupted, answer);
    assert.equal(resumed.interruptions, 1);
    assert.deepEqual(resumed.result, undisturbed.result);
    assert.deepEqual(resumed.events, undisturbed.events);
  }
});

test('after the last epoch a resumed training only returns the result', () => {
  const first = begin({}, snapshotAfter(15, {}, true)).next();
  assert.ok(first.done);
  assert.deepEqual(first.value, run().result);
});

const refuse = (snapshot: TrainingSnapshot, message: RegExp, changes: Partial<TrainingPlan> = {}) =>
  assert.throws(() => begin(changes, snapshot).next(), { name: 'RangeError', message });

test('rejects a snapshot of another training, naming the mismatch', () => {
  const snapshot = snapshotAfter(7);
  assert.throws(() => begin({}, snapshot, createKernel).next(), /reference-float64 .* simd-float32/);
  refuse(snapshot, /at step 7, but the training has steps 0 to 5/, { epochs: 1 });
  refuse(snapshot, /at step 7, but the training has steps 0 to 6/, { stopAtStep: 6 });
  refuse(snapshot, /at step 7 with 32 examples/, { batchSize: 20 });
  refuse(snapshot, /at step 7 with 32 examples/, { holdout: null });
  refuse({ ...snapshot, step: 8 }, /at step 8, but its engine is at step 7/);
  refuse(snapshot, /have 193 numbers, not 218/, {
    architecture: dense([16, 9, 4]),
  });
  const adam = { type: 'adam', beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0 } as const;
  refuse(snapshot, /keeps 2 moments, not 0/, { optimizer: adam });
});

test('rejects a snapshot between epochs if no epoch follows or has ended', () => {
  const snapshot = snapshotAfter(10, {}, true);
  refuse(snapshot, /at step 10 with 0 examples/, { epochs: 2 });
  refuse(snapshot, /at step 10 with 0 examples/, { batchSize: 20 });
});

test('best parameters are kept only with restoreBest', () => {
  const snapshot = snapshotAfter(5, { earlyStopping: early }, true);
  assert.equal(snapshot.best?.length, 218);
  refuse(snapshot, /218 best parameters, not 0/);
  refuse({ ...snapshot, best: null }, /0 best parameters, not 218/, { earlyStopping: early });
});

test('a training can begin at step 0 of a snapshot, and at no step before it or between two', () => {
  const { engine, ...rest } = snapshotAfter(5);
  const at = (step: number) => ({ ...rest, step, examples: 0, engine: { ...engine, steps: step } });
  const { value } = begin({}, at(0)).next();
  assert.equal((value as LoopEvent).kind, 'step');
  for (const step of [-1, 0.5]) refuse(at(step), new RegExp(`at step ${step}, but the training has steps 0`));
});
