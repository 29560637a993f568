import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parameterCount } from '../../../src/numerics/network/architecture.ts';
import { isFused, type KernelExports } from '../../../src/numerics/simd/kernel.ts';
import { createKernelEngine } from '../../../src/numerics/simd/kernel-engine.ts';
import { createKernelForward } from '../../../src/numerics/simd/kernel-forward.ts';
import { PLAIN_SETTINGS } from '../../../src/numerics/training/engine.ts';
import { clearVectors } from '../../../src/tuning/clear-vectors.ts';
import { kernelModule } from '../../../src/workers/kernel/compile.ts';
import { dense } from '../../support/dense.ts';

const withMultiplyAdd = (multiplyAdd: KernelExports['multiplyAdd']) =>
  isFused({ multiplyAdd } as KernelExports);

test('a processor fuses a multiply-add if it rounds once', () => {
  // The product of two float32 is exact in float64, and so is this sum.
  assert.equal(
    withMultiplyAdd((a, b, c) => Math.fround(a * b + c)),
    true,
  );
  assert.equal(
    withMultiplyAdd((a, b, c) => Math.fround(Math.fround(a * b) + c)),
    false,
  );
});

const architecture = dense([64, 3, 2]);
const parameters = Float32Array.from({ length: parameterCount(architecture) }, (_, n) => Math.sin(n));
const examples = {
  pixels: Uint8Array.from({ length: 5 * 64 }, (_, n) => n),
  labels: Uint8Array.of(0, 1, 1, 0, 1),
};
const batch = Uint32Array.of(4, 0, 2);

/** Numbers that the kernel computes, and how often it called back. */
function compute(isCleared: boolean) {
  let calls = 0;
  const afterCall = () => {
    calls++;
    clearVectors();
  };
  const options = isCleared ? { afterCall } : {};
  const settings = { ...PLAIN_SETTINGS, architecture, batchSize: 3 };
  const engine = createKernelEngine(kernelModule, settings, parameters, options);
  const sums = { loss: 0, correct: 0 };
  engine.step(examples, batch, { epoch: 1, start: 0, learningRate: 0.1, measureNorm: false }, sums);
  const afterStep = calls;
  const kernel = createKernelForward(kernelModule, architecture, 'relu', engine.parameters, null, options);
  const [logits, probabilities] = [new Float32Array(10), new Float32Array(10)];
  kernel.forward(logits, probabilities, examples.pixels);
  const afterForward = calls;
  const evaluated = { loss: 0, correct: 0 };
  kernel.evaluate(evaluated, examples, batch);
  return { numbers: [sums, logits, probabilities, evaluated], calls: [afterStep, afterForward, calls] };
}

test('the registers are cleared after each step, prediction and evaluation, which changes no number', () => {
  const [cleared, left] = [compute(true), compute(false)];
  assert.deepEqual(cleared.numbers, left.numbers);
  assert.deepEqual(cleared.calls, [1, 2, 3]);
});
