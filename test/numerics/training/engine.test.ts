import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkAverage,
  checkBatch,
  momentCount,
  PLAIN_SETTINGS,
  stateVectorCount,
  stateVectors,
} from '../../../src/numerics/training/engine.ts';

const sgd = (momentum: number) => ({ type: 'sgd', momentum, nesterov: false, weightDecay: 0 }) as const;
const rmsprop = (momentum: number) =>
  ({ type: 'rmsprop', momentum, alpha: 0.9, epsilon: 1e-8, weightDecay: 0 }) as const;
const adam = { type: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
const ema = { decay: 0.9 };

test('an optimizer keeps one moment for momentum, and one for the scale of the steps', () => {
  assert.deepEqual([sgd(0), sgd(0.9), rmsprop(0), rmsprop(0.9), adam].map(momentCount), [0, 1, 1, 2, 2]);
  assert.equal(stateVectorCount({ optimizer: adam, ema: null }), 2);
  assert.equal(stateVectorCount({ optimizer: sgd(0), ema }), 1);
});

test('the vectors of a state are the parameters, the moments and the average', () => {
  const [a, b, c, d] = [1, 2, 3, 4].map((value) => Float32Array.of(value)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const state = { parameters: a, moments: [b, c], average: d, steps: 1, gradientNorm: 0 };
  assert.deepEqual(stateVectors(state), [a, b, c, d]);
  assert.deepEqual(stateVectors({ ...state, average: null }), [a, b, c]);
  checkAverage({ ema }, state);
  checkAverage({ ema: null }, { ...state, average: null });
  assert.throws(
    () => checkAverage({ ema: null }, state),
    new RangeError('This engine has no average of the parameters, but the state is with one.'),
  );
  assert.throws(
    () => checkAverage({ ema }, { ...state, average: null }),
    new RangeError('This engine has an average of the parameters, but the state is without one.'),
  );
});

test('a batch has 1 to `batchSize` examples', () => {
  const settings = { ...PLAIN_SETTINGS, batchSize: 3 };
  for (const length of [1, 3]) checkBatch(settings, new Uint32Array(length));
  for (const length of [0, 4])
    assert.throws(
      () => checkBatch(settings, new Uint32Array(length)),
      new RangeError(`A batch of this engine must have 1 to 3 examples, but has ${length}.`),
    );
});
