/** Exported graphs of trained networks in ONNX Runtime, on all test images. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import ort from 'onnxruntime-node';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import { exportModel } from '../../../src/formats/models/export.ts';
import { ONNX_INPUTS, type OnnxInput } from '../../../src/formats/models/export-formats.ts';
import type { PublishedModel } from '../../../src/formats/models/metadata.ts';
import { readOnnx } from '../../../src/formats/onnx/read.ts';
import type { Activation } from '../../../src/numerics/network/activations.ts';
import { createKernelForward } from '../../../src/numerics/simd/kernel-forward.ts';
import { createKernelEngine, kernelModule } from '../../../src/workers/kernel/compile.ts';
import { planOf } from '../../numerics/fixtures.ts';
import { startLoop } from '../../numerics/start-loop.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { dense } from '../../support/dense.ts';
import { modelOf, publishedModel } from '../fixtures.ts';

const dataset = await loadFashionMnist(DATA_DIR);
const { pixels } = dataset.test;
const IMAGES = 10_000;

/** A model after one epoch of training. */
function trained(hidden: number[], activation: Activation, standardize: boolean): PublishedModel {
  const architecture = dense([784, ...hidden, 10]);
  const plan = planOf(architecture, { activation, standardize, batchSize: 64 });
  const loop = startLoop(plan, dataset.train, dataset.test, createKernelEngine);
  for (let next = loop.next(); ; next = loop.next()) {
    if (!next.done) continue;
    const { parameters, standardization } = next.value;
    return publishedModel({ architecture, activation, standardization }, parameters);
  }
}

/** The probabilities that the service computes. */
function serve({ architecture, activation, parameters, standardization }: PublishedModel): Float32Array {
  const { forward } = createKernelForward(
    kernelModule,
    architecture,
    activation,
    parameters,
    standardization,
  );
  const probabilities = new Float32Array(IMAGES * 10);
  forward(probabilities.slice(), probabilities, pixels);
  return probabilities;
}

async function run(file: Uint8Array, input: OnnxInput, images: Uint8Array) {
  const session = await ort.InferenceSession.create(file);
  const shape = [images.length / 784, 784];
  const image =
    input === 'uint8'
      ? new ort.Tensor('uint8', images, shape)
      : new ort.Tensor(
          'float32',
          Float32Array.from(images, (pixel) => pixel / 255),
          shape,
        );
  assert.deepEqual([session.inputNames, session.outputNames], [['image'], ['probabilities', 'label']]);
  const { probabilities, label } = await session.run({ image });
  await session.release();
  assert.deepEqual([probabilities!.type, probabilities!.dims], ['float32', [shape[0], 10]]);
  assert.deepEqual([label!.type, label!.dims], ['int64', [shape[0]]]);
  return {
    probabilities: probabilities!.data as Float32Array,
    labels: Array.from(label!.data as BigInt64Array, Number),
  };
}

/** The most probable label of each image; the lowest one in a tie, as in the service. */
function labelsOf(probabilities: Float32Array): number[] {
  return Array.from({ length: probabilities.length / 10 }, (_, n) => {
    const row = probabilities.subarray(10 * n, 10 * n + 10);
    return row.indexOf(Math.max(...row));
  });
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

for (const [hidden, activation, standardize] of [
  [[], 'relu', false],
  [[], 'relu', true],
  [[40], 'relu', false],
  [[40], 'leaky-relu', true],
  [[24, 16], 'tanh', false],
  [[24, 16], 'relu', true],
  [[32], 'sigmoid', true],
  [[24, 16], 'silu', true],
  [[16, 12, 10], 'identity', false],
  [[16, 12, 10], 'leaky-relu', false],
] as const) {
  const name = `784-${[...hidden, 10].join('-')} with ${activation}${standardize ? ', standardized' : ''}`;
  test(`ONNX Runtime agrees with the service on all test images: ${name}`, async () => {
    const model = trained([...hidden], activation, standardize);
    const served = serve(model);
    const labels = labelsOf(served);
    const right = labels.filter((label, n) => label === dataset.test.labels[n]).length;
    assert.ok(right > 0.5 * IMAGES, `it has learnt: ${right}`);
    for (const input of ONNX_INPUTS) {
      const file = exportModel(model, 'onnx', input);
      const answers = await run(file, input, pixels);
      assert.ok(largestDifference(answers.probabilities, served) <= 1e-5);
      assert.deepEqual(answers.labels, labels);
    }
  });
}

test('one image gives the same result alone and in a batch', async () => {
  const file = exportModel(modelOf(dense([784, 12, 10])), 'onnx', 'uint8');
  const [many, one] = [
    await run(file, 'uint8', pixels.subarray(0, 7840)),
    await run(file, 'uint8', pixels.subarray(0, 784)),
  ];
  assert.ok(largestDifference(one.probabilities, many.probabilities.subarray(0, 10)) <= 1e-6);
});

test('the file contains the metadata of the model', () => {
  const model = modelOf(dense([784, 4, 3]));
  const { producerName, modelVersion, metadata, graph } = readOnnx(exportModel(model, 'onnx'));
  assert.deepEqual([producerName, modelVersion, graph.name], ['atelier', 7, 'my-model']);
  assert.deepEqual(JSON.parse(metadata['class_names']!), model.classNames);
  assert.equal(metadata['digest'], model.digest);
  assert.deepEqual(graph.inputs, [{ name: 'image', elementType: 'float', shape: ['batch', 784] }]);
});
