import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import threads from 'node:worker_threads';
import { checkKernel, detectEnvironment, KERNEL_TOLERANCE } from '../../../src/workers/kernel/compile.ts';
import { failure } from '../../store/fixtures.ts';
import { applyMocks } from '../../support/mocked-builtins.ts';

/** Threads of this process begin with what is set here. Returns what `checkKernel` sets for further ones. */
function mockEnvironment(t: TestContext, checked?: boolean) {
  t.mock.method(threads, 'getEnvironmentData', () => checked);
  const { mock } = t.mock.method(threads, 'setEnvironmentData', () => {});
  applyMocks(t);
  return () => mock.calls.map((call) => call.arguments);
}

/** Until the test ends, a new kernel computes nothing: its gradients stay 0. */
function breakKernels(t: TestContext): void {
  const names = ['prepare', 'transposeAll', 'multiplyAdd', 'step', 'shutdown', 'fold', 'predict', 'evaluate'];
  const exports = Object.fromEntries(names.map((name) => [name, () => 0]));
  // A mocked method cannot be called with `new` unless it is a class.
  t.mock.property(
    WebAssembly,
    'Instance',
    class {
      readonly exports = exports;
    } as unknown as typeof WebAssembly.Instance,
  );
}

test('a kernel that agrees with the reference is checked once for all threads', (t) => {
  const set = mockEnvironment(t);
  checkKernel();
  assert.deepEqual(set(), [['kernel checked', true]]);
});

test('a kernel that differs from the reference is not used, unless another thread has checked it', (t) => {
  breakKernels(t);
  const set = mockEnvironment(t);
  assert.equal(KERNEL_TOLERANCE, 1e-4);
  assert.throws(checkKernel, failure('kernel-differs', 'by 1; the tolerance is 0.0001', 'processor model'));
  assert.deepEqual(set(), []);
});

test('a kernel that another thread has checked is not checked again', (t) => {
  breakKernels(t);
  const set = mockEnvironment(t, true);
  checkKernel();
  assert.deepEqual(set(), []);
});

test('the environment names the kernel, and how this processor multiplies and adds', () => {
  const { kernel, fused } = detectEnvironment();
  assert.equal(kernel.name, 'simd-float32');
  assert.match(kernel.digest, /^sha256:[0-9a-f]{64}$/);
  assert.equal(typeof fused, 'boolean');
});
