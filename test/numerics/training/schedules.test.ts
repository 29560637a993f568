import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  INITIAL_PLATEAU,
  learningRateAt,
  type Schedule,
  updatePlateau,
} from '../../../src/numerics/training/schedules.ts';
import { assertNear, knobs } from '../fixtures.ts';

function ratesOf(schedule: Schedule, rate: number, epochs: number, stepsPerEpoch: number): number[] {
  const length = { stepsPerEpoch, steps: epochs * stepsPerEpoch };
  return Array.from({ length: length.steps }, (_, step) => learningRateAt(schedule, rate, step, length, 1));
}

test('a constant rate does not change', () => {
  assert.deepEqual(ratesOf({ type: 'constant' }, 0.1, 2, 2), [0.1, 0.1, 0.1, 0.1]);
});

test('an exponential rate is multiplied by the factor after every epoch', () => {
  const rates = ratesOf({ type: 'exponential', factor: 0.5 }, 0.8, 4, 2);
  assert.deepEqual(rates, [0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1]);
});

test('a step rate is multiplied by the factor every n epochs', () => {
  assert.deepEqual(ratesOf({ type: 'step', every: 2, factor: 0.5 }, 0.8, 5, 1), [0.8, 0.8, 0.4, 0.4, 0.2]);
});

test('a cosine rate falls to its final fraction, halfway after half of the steps', () => {
  const rates = ratesOf({ type: 'cosine', final: 0.1 }, 0.2, 3, 3);
  assertNear([rates[0]!, rates[4]!, rates[8]!], [0.2, 0.11, 0.02], 1e-15, 'rates');
  for (const [i, rate] of rates.entries()) {
    const formula = 0.02 + (0.18 * (1 + Math.cos((Math.PI * i) / 8))) / 2;
    assert.ok(Math.abs(rate - formula) < 1e-16);
  }
});

test('a warm-up rises linearly to the full rate, at which the cosine begins', () => {
  const rates = ratesOf({ type: 'warmup-cosine', warmupEpochs: 2, final: 0 }, 0.4, 4, 2);
  assertNear(rates, [0.1, 0.2, 0.3, 0.4, 0.4, 0.3, 0.1, 0], 1e-15, 'rates');
});

test('a warm-up as long as the training never reaches the cosine', () => {
  const rates = ratesOf({ type: 'warmup-cosine', warmupEpochs: 9, final: 0 }, 0.9, 1, 3);
  assertNear(rates, [0.9 / 27, (2 * 0.9) / 27, 0.1], 1e-15, 'rates');
});

test('a cosine rate with restarts returns to the full rate, after periods that grow by the factor', () => {
  const schedule = { type: 'cosine-restarts', period: 1, periodFactor: 2, final: 0.5 } as const;
  const rates = ratesOf(schedule, 0.8, 3, 2);
  const [quarter, threeQuarters] = [0.6 + 0.2 * Math.SQRT1_2, 0.6 - 0.2 * Math.SQRT1_2];
  assertNear(rates, [0.8, 0.6, 0.8, quarter, 0.6, threeQuarters], 1e-15, 'rates');
});

test('a period shorter than a step restarts in every step', () => {
  const schedule = { type: 'cosine-restarts', period: 0.1, periodFactor: 1, final: 0 } as const;
  assert.deepEqual(ratesOf(schedule, 0.8, 1, 3), [0.8, 0.8, 0.8]);
});

test('one-cycle peaks in the last step of its warm-up and ends at its final fraction of the peak', () => {
  const rates = ratesOf({ type: 'one-cycle', peak: 1, warmupFraction: 0.3, final: 0.01 }, 0.1, 10, 1);
  assertNear([rates[0]!, rates[1]!, rates[2]!, rates[9]!], [0.1, 0.55, 1, 0.01], 1e-15, 'rates');
  const onlyDown = ratesOf({ type: 'one-cycle', peak: 1, warmupFraction: 0, final: 0.5 }, 0.1, 3, 1);
  assertNear(onlyDown, [1, 0.75, 0.5], 1e-15, 'without a warm-up');
  const onlyUp = ratesOf({ type: 'one-cycle', peak: 1, warmupFraction: 1, final: 0.5 }, 0.5, 3, 1);
  assertNear(onlyUp, [0.5, 0.75, 1], 1e-15, 'all warm-up');
});

test('every schedule gives a rate for a training of a single step', () => {
  for (const { schedule } of knobs.rates) {
    for (const rate of ratesOf(schedule, 0.1, 1, 1)) assert.ok(Number.isFinite(rate) && rate > 0);
  }
});

for (const { schedule, learningRate, epochs, stepsPerEpoch, rates } of knobs.rates) {
  test(`rates equal PyTorch's: ${schedule.type}, ${epochs} epochs of ${stepsPerEpoch} steps`, () => {
    const own = ratesOf(schedule, learningRate, epochs, stepsPerEpoch);
    for (const [i, rate] of rates.entries()) assertNear([own[i]!], [rate], 1e-12, `step ${i}`);
  });
}

for (const { schedule, learningRate, losses, rates } of knobs.plateaus) {
  const { factor, patience, minDelta } = schedule;
  test(`plateau lowers the rate when ReduceLROnPlateau does: ${factor}, ${patience}, ${minDelta}`, () => {
    let state = INITIAL_PLATEAU;
    for (const [i, loss] of losses.entries()) {
      state = updatePlateau(state, schedule, loss);
      const rate = learningRateAt(schedule, learningRate, 0, { stepsPerEpoch: 1, steps: 1 }, state.factor);
      assertNear([rate], [rates[i]!], 1e-14, `after epoch ${i + 1}`);
    }
  });
}

test('plateau resumes from a state stored as JSON', () => {
  const { schedule } = knobs.plateaus[0]!;
  const state = updatePlateau(INITIAL_PLATEAU, schedule, 0.7);
  const saved = JSON.parse(JSON.stringify(state)) as typeof state;
  for (const loss of [0.6, 0.8]) {
    assert.deepEqual(updatePlateau(saved, schedule, loss), updatePlateau(state, schedule, loss));
  }
});

test('a NaN loss is not an improvement', () => {
  const schedule = { type: 'plateau', factor: 0.5, patience: 0, minDelta: 0 } as const;
  assert.equal(updatePlateau(INITIAL_PLATEAU, schedule, Number.NaN).factor, 0.5);
});
