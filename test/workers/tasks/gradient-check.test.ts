import assert from 'node:assert/strict';
import { test } from 'node:test';
import { npyBytes, parseNpy } from '../../../src/formats/arrays/npy.ts';
import { engineDifference } from '../../../src/numerics/checks/kernel.ts';
import { type Architecture, parameterCount } from '../../../src/numerics/network/architecture.ts';
import { initialize } from '../../../src/numerics/network/initialize.ts';
import { createKernelEngine } from '../../../src/workers/kernel/compile.ts';
import { type GradientCheckTask, runGradientCheck } from '../../../src/workers/tasks/gradient-check.ts';
import { reluNetwork, settingsOf } from '../../numerics/fixtures.ts';
import { dense } from '../../support/dense.ts';

const COUNT = 9;
const indices = Uint32Array.from({ length: COUNT }, (_, n) => n);

function taskOf(architecture: Architecture, changes: Partial<GradientCheckTask> = {}): GradientCheckTask {
  const values = architecture.inputShape[0] * architecture.inputShape[1];
  return {
    ...reluNetwork(architecture),
    examples: {
      pixels: Uint8Array.from({ length: COUNT * values }, (_, i) => (i * 89 + (i >> 2) * 7) % 256),
      labels: Uint8Array.from(indices, (n) => n % 2),
    },
    indices,
    scheme: 'central',
    coordinates: 'all',
    seed: 3,
    parameters: null,
    initialization: 'he',
    output: 'report',
    submitted: null,
    progress: new Int32Array(1),
    ...changes,
  };
}

const plain = dense([4, 3, 2]);
const convolutional: Architecture = {
  inputShape: [4, 4],
  convolutions: [[2]],
  norm: 'none',
  hidden: [],
  classes: 2,
};

test('the kernel is compared on all images, or on the first three with convolutions', () => {
  for (const [architecture, images] of [
    [plain, COUNT],
    [convolutional, 3],
  ] as const) {
    const task = taskOf(architecture, { coordinates: { sample: 4 } });
    const parameters = initialize('he', architecture, 3);
    const settings = settingsOf(architecture, { batchSize: images });
    const compare = (count: number) =>
      engineDifference(createKernelEngine, settings, parameters, task.examples, indices.subarray(0, count));
    const { kernel } = runGradientCheck(task);
    assert.equal(kernel.maxRelativeDifference, compare(images));
    assert.ok(kernel.maxRelativeDifference > 0 && kernel.maxRelativeDifference < 1e-5);
  }
});

test('a fresh network is initialized from the seed, and a given one is not', () => {
  const vectorOf = (changes: Partial<GradientCheckTask>) => {
    const { npy } = runGradientCheck(taskOf(plain, { output: 'parameters', ...changes }));
    return parseNpy(npy!).data;
  };
  const own = Float64Array.from({ length: parameterCount(plain) }, (_, i) => (i % 5) / 10);
  assert.deepEqual(vectorOf({}), initialize('he', plain, 3));
  assert.deepEqual(vectorOf({ parameters: own }), own);
});

test('a sample of coordinates leaves the others of its gradient undefined', () => {
  const task = taskOf(plain, { output: 'analytic' });
  const all = runGradientCheck(task);
  const analytic = parseNpy(all.npy!).data as Float64Array;
  assert.ok(analytic.every(Number.isFinite));
  assert.deepEqual([all.passed, all.submitted], [true, null]);
  assert.ok(task.progress[0]! > 0);

  const sampled = (output: 'analytic' | 'numeric') =>
    parseNpy(runGradientCheck(taskOf(plain, { output, coordinates: { sample: 8 } })).npy!)
      .data as Float64Array;
  const [exact, approximate] = [sampled('analytic'), sampled('numeric')];
  const known = [...exact.keys()].filter((i) => !Number.isNaN(exact[i]!));
  assert.deepEqual([exact.length, known.length], [23, 8]);
  for (const i of known) {
    assert.equal(exact[i], analytic[i]);
    assert.ok(Math.abs(approximate[i]! - analytic[i]!) < 1e-6);
  }
  assert.notDeepEqual(approximate, exact);
});

test('a submitted gradient is compared with that of the reference', () => {
  const gradient = parseNpy(runGradientCheck(taskOf(plain, { output: 'analytic' })).npy!)
    .data as Float64Array;
  const submit = (scale: number) => {
    const submitted = npyBytes(
      gradient.map((value) => value * scale),
      [gradient.length],
    );
    return runGradientCheck(taskOf(plain, { submitted })).submitted;
  };
  assert.equal(submit(1)?.agrees, true);
  assert.equal(submit(2)?.agrees, false);
});
