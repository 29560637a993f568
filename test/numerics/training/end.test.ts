/** End of a training: its reason and its final parameters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReferenceEngine } from '../../../src/numerics/reference/reference-engine.ts';
import type { EarlyStopping } from '../../../src/numerics/training/early-stopping.ts';
import type { LoopEvent } from '../../../src/numerics/training/loop-events.ts';
import type { TrainingPlan } from '../../../src/numerics/training/plan.ts';
import type { TrainingSnapshot } from '../../../src/numerics/training/snapshot.ts';
import { assertNear } from '../fixtures.ts';
import { startLoop } from '../start-loop.ts';
import { plan, recordsOf, run, testExamples, train } from '../trainings.ts';

const early: EarlyStopping = { monitor: 'validationLoss', patience: 3, minDelta: 0, restoreBest: true };
/** A learning rate at which the loss rises and falls, so that an epoch in the middle is the best. */
const restless: Partial<TrainingPlan> = {
  epochs: 60,
  learningRate: 1.5,
  schedule: { type: 'constant' },
};

/** Runs a training and stops it at the first event for which `isEnough` holds. */
function runUntil(isEnough: (event: LoopEvent) => boolean, changes: Partial<TrainingPlan> = { epochs: 4 }) {
  return run(changes, createReferenceEngine, (event) => (isEnough(event) ? 'stop' : undefined));
}

test('early stopping ends after the given number of epochs without improvement', () => {
  const { events, result } = run({ ...restless, earlyStopping: early });
  const losses = recordsOf(events).map(({ validationLoss }) => validationLoss!);
  const best = losses.indexOf(Math.min(...losses));
  assert.ok(best > 0 && losses.length < 60);
  assert.equal(losses.length, best + 1 + early.patience);
  assert.deepEqual(result.stoppedAt, { step: 5 * losses.length, reason: 'early-stopping' });
});

test('restoreBest returns the parameters at the end of the best epoch', () => {
  const { result, events } = run({ ...restless, earlyStopping: early });
  const epochs = recordsOf(events).length;
  assert.equal(result.epoch, epochs - early.patience);
  assert.deepEqual(result.parameters, run({ ...restless, epochs: result.epoch }).result.parameters);

  const kept = run({ ...restless, earlyStopping: { ...early, restoreBest: false } }).result;
  assert.equal(kept.epoch, epochs);
  assert.deepEqual(kept.parameters, run({ ...restless, epochs }).result.parameters);
  assert.deepEqual(kept.stoppedAt, result.stoppedAt);
});

test('restoreBest also applies when the epochs or the budget run out first', () => {
  const patient = { ...early, patience: 1000 };
  const completed = run({ ...restless, epochs: 20, earlyStopping: patient });
  const losses = recordsOf(completed.events).map(({ validationLoss }) => validationLoss!);
  const best = losses.indexOf(Math.min(...losses)) + 1;
  assert.ok(best < 20);
  assert.equal(completed.result.epoch, best);
  assert.equal(completed.result.stoppedAt.reason, 'completed');
  const stopped = run({ ...restless, earlyStopping: patient, stopAtStep: 5 * best + 2 }).result;
  assert.equal(stopped.stoppedAt.reason, 'budget');
  assert.deepEqual(stopped.parameters, completed.result.parameters);
});

test('measuring the test split once gives the figures of the returned parameters, also after a resumption', () => {
  const options = { ...plan, ...restless, epochs: 20, earlyStopping: { ...early, patience: 1000 } };
  const every = run(options);
  const measured = recordsOf(every.events)[every.result.epoch - 1]!;
  assert.ok(every.result.epoch < 20 && every.result.tested === null);

  let last: TrainingSnapshot | null = null;
  for (const resumes of [false, true]) {
    const loop = startLoop(options, train, testExamples, createReferenceEngine, resumes ? last : null, true);
    let next = loop.next();
    while (!next.done) {
      if (next.value.kind === 'epoch') assert.deepEqual(next.value.metrics.testLoss, null);
      if (next.value.kind === 'snapshot') last = next.value.snapshot;
      next = loop.next(next.value.kind === 'epoch' && next.value.isLast ? 'snapshot' : undefined);
    }
    assert.deepEqual(next.value.parameters, every.result.parameters);
    assert.deepEqual(next.value.tested, { loss: measured.testLoss, accuracy: measured.testAccuracy });
  }
});

test('early stopping can monitor the accuracy', () => {
  const earlyStopping: EarlyStopping = { ...early, monitor: 'validationAccuracy', patience: 2 };
  const { events, result } = run({ epochs: 60, schedule: { type: 'constant' }, earlyStopping });
  const accuracies = recordsOf(events).map(({ validationAccuracy }) => validationAccuracy!);
  const best = accuracies.indexOf(Math.max(...accuracies));
  assert.equal(accuracies.length, best + 3);
  assert.equal(result.epoch, best + 1);
});

test('training ends with the first epoch that reaches the target, even if another had a lower loss', () => {
  const { events, result } = run({ ...restless, earlyStopping: early, targetValidationAccuracy: 1 });
  const records = recordsOf(events);
  const accuracies = records.map(({ validationAccuracy }) => validationAccuracy!);
  assert.equal(accuracies.indexOf(1), accuracies.length - 1);
  assert.ok(records.at(-1)!.validationLoss! > records.at(-2)!.validationLoss!);
  assert.equal(result.epoch, records.length);
  assert.deepEqual(result.stoppedAt, { step: 5 * records.length, reason: 'target-reached' });
  assert.deepEqual(result.parameters, run({ ...restless, epochs: records.length }).result.parameters);
});

test('stopping after a step returns the parameters of that step, evaluated', () => {
  const { events, result } = runUntil((event) => event.kind === 'step' && event.step === 7);
  assert.deepEqual(result.stoppedAt, { step: 7, reason: 'budget' });
  assert.equal(result.epoch, 2);
  const steps = events.filter((event) => event.kind === 'step');
  assert.equal(steps.length, 7);
  const [, partial] = recordsOf(events);
  assertNear([partial!.trainLoss], [(steps[5]!.loss + steps[6]!.loss) / 2], 1e-14, 'mean of two steps');
  assert.ok(partial!.gradientNorm > 0 && Number.isFinite(partial!.testLoss));
});

test('a training limited to a step repeats one stopped at that step, bit for bit', () => {
  for (const step of [3, 5, 7]) {
    const stopped = runUntil((event) => event.kind === 'step' && event.step === step);
    assert.deepEqual(run({ epochs: 4, stopAtStep: step }), stopped);
  }
});

test('a training can be stopped at the end of an epoch', () => {
  const { events, result } = runUntil((event) => event.kind === 'epoch');
  assert.equal(recordsOf(events).length, 1);
  assert.deepEqual(result.stoppedAt, { step: 5, reason: 'budget' });
  assert.deepEqual(result, run({ epochs: 4, stopAtStep: 5 }).result);
});

test('stopping after the last step has no effect', () => {
  for (const kind of ['step', 'epoch']) {
    const { result } = runUntil((event) => event.kind === kind, { epochs: 1, batchSize: 80 });
    assert.deepEqual(result.stoppedAt, { step: 1, reason: 'completed' });
  }
});

test('rejects early stopping and targets without validation images', () => {
  for (const changes of [{ earlyStopping: early }, { targetValidationAccuracy: 0.9 }]) {
    assert.throws(() => run({ ...changes, holdout: null }), /need images held out/);
  }
});
