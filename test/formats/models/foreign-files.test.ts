import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zipSync } from 'fflate';
import { npyBytes, parseNpy } from '../../../src/formats/arrays/npy.ts';
import { importModel } from '../../../src/formats/models/import.ts';
import { createForward } from '../../../src/numerics/network/forward.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { dense } from '../../support/dense.ts';
import { formatFixture, npyEntry } from '../fixtures.ts';

/** Files of scripts/fixtures/import.py, networks of 64-3-n with their `out_activation_`. */
const sklearn = (name: string) => formatFixture(`sklearn-outputs/${name}`);
const importDigits = (name: string) => importModel(sklearn(`${name}.npz`), { activation: 'tanh' });
const refusal = (run: () => unknown, message: RegExp) =>
  assert.throws(run, isAtelierError('invalid-model-file', message));

test("imports scikit-learn's classifiers of two and more classes with their output activation", () => {
  const expected = (JSON.parse(Buffer.from(sklearn('binary.json')).toString()) as number[][]).flat();
  const model = importDigits('binary');
  assert.equal(model.source, 'sklearn');
  assert.deepEqual(model.architecture, dense([64, 3, 2]));
  const pixels = parseNpy(formatFixture('shapes/digits.npy')).data as Uint8Array;
  const found = new Float64Array(expected.length);
  const network = { ...model, activation: 'tanh' } as const;
  createForward(network, model.parameters)(found.slice(), found, pixels.subarray(0, 64 * 8));
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs(found[i]! - value) <= 1e-6, `${found[i]} at ${i}, not ${value}`);
  assert.deepEqual(importDigits('classes').architecture, dense([64, 3, 10]));
});

test("rejects scikit-learn's networks of other outputs than one class for each image", () => {
  const several =
    /"logistic" with 3 outputs, so it is a multilabel classifier; an image has exactly one class here\.$/;
  refusal(() => importDigits('multilabel'), several);
  refusal(() => importDigits('two-labels'), /"logistic" with 2 outputs, so it is a multilabel classifier/);
  refusal(() => importDigits('regression'), /"identity" with 10 outputs, so it is an MLPRegressor/);
  const numbers = npyEntry('out_activation_', new Float64Array([1]), [1]);
  const weights = npyEntry('coefs_0', new Float64Array(64 * 3), [64, 3]);
  const biases = { 'intercepts_0.npy': npyBytes(new Float64Array(3), [3]) };
  refusal(
    () => importModel(zipSync({ ...weights, ...biases, ...numbers })),
    /its out_activation_ is ".*" with 3 outputs; expected softmax, or logistic with 1 output\.$/,
  );
});
