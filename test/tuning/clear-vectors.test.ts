import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setEnvironmentData } from 'node:worker_threads';
import { fullyConnected, parameterCount } from '../../src/numerics/network/architecture.ts';
import { createKernelEngine } from '../../src/numerics/simd/kernel-engine.ts';
import { createKernelForward } from '../../src/numerics/simd/kernel-forward.ts';
import { PLAIN_SETTINGS } from '../../src/numerics/training/engine.ts';
import { clearVectors } from '../../src/tuning/clear-vectors.ts';
import { switchOff } from '../../src/tuning/switches.ts';
import { vectorOptions } from '../../src/tuning/wide-vectors.ts';
import { kernelModule } from '../../src/workers/kernel/compile.ts';

/** As `widenVectors` does, but without its flags, which apply to the whole process. */
function declareWide(t: TestContext): void {
  t.after(() => {
    switchOff([]);
    setEnvironmentData('wide vectors', undefined);
  });
  setEnvironmentData('wide vectors', true);
}

test('clears the registers only after wide vectors, and not if that is switched off', (t) => {
  assert.deepEqual(vectorOptions(), { wide: false });
  declareWide(t);
  assert.deepEqual(vectorOptions(), { wide: true, afterCall: clearVectors });
  switchOff(['clear-vectors']);
  assert.deepEqual(vectorOptions(), { wide: true });
});

const architecture = fullyConnected([8, 8], [3, 2]);
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
