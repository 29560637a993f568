import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDense } from '../../../../src/numerics/reference/layers/dense.ts';

/** A layer of two inputs and two units, whose second input is not listed. */
function layerOf(gradient: Float64Array | null, biases: Float64Array | null) {
  const weights = { values: Float64Array.of(1, 2, 3, 4), gradient };
  const base = { values: Float64Array.of(10, 20), gradient: biases };
  const below = { output: new Float64Array(2), dOutput: new Float64Array(2).fill(7) };
  const layer = createDense(below, weights, base, base.values, (a) => {
    a.indices[0] = 0;
    a.values[0] = 5;
    a.derivatives[0] = 0.5;
    a.count = 1;
  });
  layer.forward();
  layer.dOutput.set([1, -1]);
  layer.backward();
  layer.addGradient!();
  return { layer, below };
}

test('inputs that are not listed add nothing to the output and to the gradients', () => {
  const [gradient, biases] = [new Float64Array(4), new Float64Array(2)];
  const { layer, below } = layerOf(gradient, biases);
  assert.deepEqual([...layer.output], [15, 35]);
  assert.deepEqual([...gradient, ...biases], [5, 0, -5, 0, 1, -1]);
  // (1 · 1 − 3 · 1) · 0.5
  assert.deepEqual([...below.dOutput], [-1, 0]);
  const alive = new Uint8Array(2);
  layer.markAlive(alive);
  assert.deepEqual([...alive], [1, 0]);
});

test('a layer without a place for one of its gradients adds none', () => {
  const biases = new Float64Array(2);
  layerOf(null, biases);
  const gradient = new Float64Array(4);
  layerOf(gradient, null);
  assert.deepEqual([...biases, ...gradient], [0, 0, 0, 0, 0, 0]);
});
