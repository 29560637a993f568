import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparisonCost } from '../../../src/numerics/checks/cost.ts';
import { patchCount } from '../../../src/numerics/explanation/occlusion.ts';
import { forwardBytes } from '../../../src/numerics/simd/kernel-forward.ts';
import { THREAD_BYTES } from '../../../src/numerics/training/memory.ts';
import { DEMANDS } from '../../../src/services/inspection/task-demands.ts';
import { MAX_CHUNK_IMAGES } from '../../../src/workers/tasks/chunk.ts';
import type { NumericTasks } from '../../../src/workers/tasks/numeric.worker.ts';
import type { Task } from '../../../src/workers/threads/start.ts';
import { dense } from '../../support/dense.ts';

/** 264 multiply-adds an image and 270 parameters; the other network has 528 and 538. */
const network = { architecture: { ...dense([64, 4, 2]), inputShape: [8, 8] } } as const;
const other = { architecture: { ...dense([64, 8, 2]), inputShape: [8, 8] } } as const;
const forward = forwardBytes(network.architecture);
const examples = { labels: { length: 1000 }, pixels: { length: 64_000 } };

/** The cost, and the bytes in addition to those of a thread. */
function demand<Name extends keyof NumericTasks>(name: Name, task: object) {
  const { cost, bytes } = DEMANDS[name](task as Task<NumericTasks, Name>);
  return [cost, bytes - THREAD_BYTES];
}
/** The kernel is ten times as fast as the reference. An image has 64 bytes of outputs. */
const evaluated = (images: number) => [26.4 * images, forward + 64 * images] as const;
const [cost, bytes] = evaluated(1000);

test('evaluations take time and memory by images and networks', () => {
  assert.deepEqual(demand('evaluate', { network, examples }), [cost, bytes]);
  assert.deepEqual(demand('rank', { network, examples }), [cost + 200 * 2000, bytes + 16 * 2000]);
  const both = [cost + 52_800, bytes + forwardBytes(other.architecture)] as const;
  assert.deepEqual(demand('compare', { network, other, examples }), both);
  assert.deepEqual(demand('compareHeldOut', { network, other, examples }), both);
  assert.deepEqual(demand('averageTeachers', { teachers: [network, other], examples }), [
    both[0],
    both[1] + 4 * (270 + 538 + 2000),
  ]);
  const chunk = forward + MAX_CHUNK_IMAGES * 64 * 15;
  assert.deepEqual(demand('predictImages', { network, input: { examples } }), [cost, chunk]);
  assert.deepEqual(demand('predictImages', { network, input: {} }), [0, chunk]);
  assert.equal(
    DEMANDS.evaluate({ network, examples } as Task<NumericTasks, 'evaluate'>).what,
    'Evaluating a 64-4-2 network',
  );
});

test('a calibration compares its images with training images', () => {
  const train = { labels: { length: 100 } };
  const calibrated = (training: number, calibration: number) => {
    const images = training + calibration;
    return [
      26.4 * images + 150 * images * (64 + 4) + 20 * calibration * training,
      evaluated(images)[1] + 2 ** 24 + images * (8 * (64 + 4) + 1000),
    ];
  };
  assert.deepEqual(demand('calibrate', { network, train, source: 'train' }), calibrated(100, 100));
  assert.deepEqual(
    demand('calibrate', { network, train, source: { labels: { length: 50 } } }),
    calibrated(100, 50),
  );
  const space = { components: { length: 10 }, points: { length: 100 } };
  assert.deepEqual(
    demand('measureCoverage', { network, examples, calibration: { outliers: { spaces: [space] } } }),
    [cost + 1000 * 8, bytes + 16 * 2000 + MAX_CHUNK_IMAGES * 15 * 4],
  );
});

test('an explanation evaluates an image for each patch, and keeps the gradient', () => {
  const images = patchCount([8, 8]) + 1;
  assert.deepEqual(demand('explain', { network }), [
    26.4 * images,
    evaluated(images)[1] + 8 * 270 + 4 * images * 64,
  ]);
});

test('a submitted gradient is compared in addition to the check', () => {
  const { architecture } = network;
  const check = (submitted: Uint8Array | null) =>
    demand('checkGradient', {
      ...{ architecture, indices: [0, 1], scheme: 'central', coordinates: { sample: 10 }, submitted },
    });
  const [alone, withFile] = [check(null), check(new Uint8Array(1000))];
  assert.equal(withFile[0]! - alone[0]!, comparisonCost(architecture, 2));
  assert.equal(withFile[1]! - alone[1]!, 1000 + 56 * 270);
});

test('the check of a network of millions of parameters is long, and so is the comparison with its gradient', () => {
  const cost = (hidden: number[], submitted: Uint8Array | null) =>
    demand('checkGradient', {
      ...{ architecture: dense([784, ...hidden, 10]), indices: [0], scheme: 'central' },
      ...{ coordinates: { sample: 20 }, submitted },
    })[0]!;
  const file = new Uint8Array(1);
  assert.ok(cost([40], file) < 1e8);
  assert.ok(cost(new Array(8).fill(1050), null) > 1e9);
  assert.ok(cost([1000, 1000], null) < 1e9 && cost([1000, 1000], file) > 1e9);
});

test('files and drawings take memory by parameters, bytes or pixels', () => {
  const model = network;
  for (const [format, perParameter] of [
    ['json', 110],
    ['onnx', 32],
    ['safetensors', 16],
  ] as const) {
    const size = perParameter * 270;
    assert.deepEqual(demand('exportFile', { model, format }), [size, size]);
  }
  assert.deepEqual(demand('importFile', { bytes: new Uint8Array(1000) }), [4000, 4000]);
  assert.deepEqual(demand('drawLayer', { network }), [0, 4 * 270]);
  assert.deepEqual(demand('drawPlot', { width: 10, height: 20, density: 3 }), [0, 9 * 1800]);
  const table = { images: 1000, classNames: ['a', 'b'] };
  assert.deepEqual(demand('writePredictionsTable', { ...table, hasAllClasses: true }), [400_000, 1000]);
  assert.deepEqual(demand('writePredictionsTable', { ...table, hasAllClasses: false }), [200_000, 1000]);
  assert.deepEqual(demand('measureImages', { examples }), [20 * 64_000, 0]);
});
