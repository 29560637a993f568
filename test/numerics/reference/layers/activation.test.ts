import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTIVATION_FUNCTIONS } from '../../../../src/numerics/network/activations.ts';
import { createActivation } from '../../../../src/numerics/reference/layers/activation.ts';

/** Two channels of 1×2: the values of `below` after a forward and a backward pass of these numbers. */
function pass(name: 'relu' | 'tanh' | 'identity', ...z: number[]) {
  const below = { output: Float64Array.from(z), dOutput: new Float64Array(4) };
  const layer = createActivation(below, { height: 1, width: 2, channels: 2 }, ACTIVATION_FUNCTIONS[name]);
  layer.forward();
  layer.dOutput.set([1, 2, 3, 4]);
  layer.backward();
  const alive = new Uint8Array(2);
  layer.markAlive(alive);
  return { output: [...layer.output], gradient: [...below.dOutput], alive: [...alive], pieces: layer.pieces };
}

test('the gradient passes where the derivative is not 0', () => {
  const { output, gradient } = pass('relu', -1, 2, 0, 0.5);
  assert.deepEqual(
    [output, gradient],
    [
      [0, 2, 0, 0.5],
      [0, 2, 0, 4],
    ],
  );
  assert.deepEqual(pass('identity', -1, 2, 0, 0.5).gradient, [1, 2, 3, 4]);
});

test('a channel is alive if one of its values or derivatives is not 0', () => {
  assert.deepEqual(pass('relu', -1, 0, -2, 3).alive, [0, 1]);
  assert.deepEqual(pass('relu', 1, -2, -3, -4).alive, [1, 0]);
  assert.deepEqual(pass('tanh', 0, 0, 0, 0).alive, [1, 1], 'the derivative is 1');
});

test('only an activation with a kink has pieces: on which side of 0 each value is', () => {
  assert.deepEqual(pass('relu', -1, 2, 0, 0.5).pieces, Uint8Array.of(0, 1, 0, 1));
  assert.equal(pass('tanh', 1, 1, 1, 1).pieces, undefined);
});
