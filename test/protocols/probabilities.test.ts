import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outputs, ServedModel } from '../../src/protocols/codec.ts';
import { joinOutputs, outlierCost } from '../../src/protocols/compute-outputs.ts';
import { assertFinite, matrixRows, rankClasses, toArray } from '../../src/protocols/probabilities.ts';
import { isAtelierError } from '../datasets/fixtures.ts';

test('a matrix has rows, and a row is a list', () => {
  const matrix = Float32Array.of(1, 2, 3, 4, 5, 6);
  assert.deepEqual(matrixRows(matrix, 3).map(toArray), [
    [1, 2, 3],
    [4, 5, 6],
  ]);
});

test('the most probable classes come first, equal ones by their labels', () => {
  const ranked = rankClasses(Float32Array.of(0.25, 0.5, 0.25, 0), ['a', 'b', 'c', 'd'], 3);
  assert.deepEqual(ranked, [
    { label: 1, className: 'b', probability: 0.5 },
    { label: 0, className: 'a', probability: 0.25 },
    { label: 2, className: 'c', probability: 0.25 },
  ]);
});

test('undefined probabilities are rejected, with the version', () => {
  const model = { reference: { name: 'm', version: 2 } } as ServedModel;
  assertFinite(model, Float32Array.of(0, 1));
  assert.throws(
    () => assertFinite(model, Float32Array.of(0, Number.NaN)),
    isAtelierError('impossible-request', /^The logits of m version 2 overflow .* Use another version\.$/),
  );
});

const part = (from: number, isJudged: boolean): Outputs => ({
  probabilities: Float32Array.of(0, from, from + 1).subarray(1),
  logits: Float32Array.of(-from, -from - 1),
  ...(isJudged && {
    judgements: { sets: Uint8Array.of(from, 1), reasons: [null, 'no-class'], expectedUnsure: 0.25 },
  }),
});

test('outputs of parts are joined in order', () => {
  const plain = { probabilities: Float32Array.of(1, 2, 3, 4), logits: Float32Array.of(-1, -2, -3, -4) };
  assert.deepEqual(joinOutputs([part(1, false), part(3, false)]), plain);
  assert.deepEqual(joinOutputs([part(1, true), part(3, true)]), {
    ...plain,
    judgements: {
      sets: Uint8Array.of(1, 1, 3, 1),
      reasons: [null, 'no-class', null, 'no-class'],
      expectedUnsure: 0.25,
    },
  });
});

test('a comparison with training images reads all components and a tenth of the points', () => {
  const space = (components: number, points: number) => ({
    ...{
      mean: new Float32Array(1),
      components: new Float32Array(components),
      points: new Float32Array(points),
    },
  });
  const outliers = { spaces: [space(10, 100), space(5, 50)], scores: [], combined: new Float32Array(0) };
  assert.equal(outlierCost({ outliers }), 4 * (10 + 10) + 4 * (5 + 5));
});
