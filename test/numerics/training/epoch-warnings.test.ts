import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type EpochFigures,
  epochWarnings,
  isExplodedLoss,
} from '../../../src/numerics/training/epoch-warnings.ts';

const healthy: EpochFigures = {
  epoch: 4,
  learningRate: 0.1,
  gradientNorm: 3,
  trainLoss: 0.4,
  classes: 10,
  deadUnits: [0.5, 0],
  convolutions: 0,
  isConstant: false,
};

function codes(changes: Partial<EpochFigures>): string[] {
  return epochWarnings({ ...healthy, ...changes }).map(({ code }) => code);
}

test('an ordinary epoch raises no warning', () => {
  assert.deepEqual(codes({}), []);
});

test('warns about layers with more than half of their units dead, by name', () => {
  const [warning, ...rest] = epochWarnings({ ...healthy, deadUnits: [0.1, 0.51, 0.9] });
  assert.equal(warning!.code, 'dead-units');
  assert.match(
    warning!.message,
    /epoch 4, 51 % of the units of hidden layer 2 and 90 % of the units of hidden layer 3 .* learning rate \(0.1\)/,
  );
  assert.deepEqual(rest, []);
});

test('warns if every image gets the same class', () => {
  assert.deepEqual(codes({ isConstant: true }), ['constant-prediction']);
});

test('warns about a gradient far larger than usual, and advises clipping', () => {
  const [warning] = epochWarnings({ ...healthy, gradientNorm: 1234.5 });
  assert.equal(warning!.code, 'exploding-gradient');
  assert.match(warning!.message, /norm was 1\.23e\+3 .* "clipNorm"/);
  assert.deepEqual(codes({ gradientNorm: 100 }), []);
});

test('warns about an explosion by the loss if dead units have left no gradient', () => {
  const [warning, ...rest] = epochWarnings({ ...healthy, trainLoss: 275_120.6 });
  assert.equal(warning!.code, 'exploding-gradient');
  assert.match(
    warning!.message,
    /loss of epoch 4 was 2\.75e\+5; a uniform guess has 2\.30: .* learning rate \(0\.1\)/,
  );
  assert.deepEqual(rest, []);
  assert.deepEqual(codes({ trainLoss: 100 * Math.log(10) }), []);
  assert.deepEqual(codes({ trainLoss: 70, classes: 2 }), ['exploding-gradient']);
  assert.deepEqual(codes({ trainLoss: 1e6, gradientNorm: 1e6 }), ['exploding-gradient']);
});

test('a training loss above 100 ln K means that the weights have exploded', () => {
  assert.deepEqual(
    [1, 100 * Math.log(10), 231, 167_610].map((loss) => isExplodedLoss(loss, 10)),
    [false, false, true, true],
  );
  assert.equal(isExplodedLoss(70, 2), true);
});

test('gives all warnings of an epoch', () => {
  assert.equal(codes({ isConstant: true, gradientNorm: 1e9, deadUnits: [1] }).length, 3);
});
