import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestedShape } from '../../../src/domain/image-shape.ts';
import { ONNX_INPUTS } from '../../../src/formats/models/export-formats.ts';
import { importModel } from '../../../src/formats/models/import.ts';
import { parametersDigest } from '../../../src/formats/models/metadata.ts';
import { onnxModel } from '../../../src/formats/onnx/graph.ts';
import type { OnnxNode } from '../../../src/formats/onnx/message.ts';
import { writeOnnx } from '../../../src/formats/onnx/write.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { dense } from '../../support/dense.ts';
import { modelOf } from '../fixtures.ts';

const byChannel = {
  mean: [0.5, 0.25, 0.125] as [number, number, number],
  std: [0.25, 0.5, 1] as [number, number, number],
};
const colour = modelOf(dense([3072, 3, 2], [32, 32, 3]), { standardization: byChannel });

/** An exported graph of colour images, changed and without metadata. */
function changedColour(change: (node: OnnxNode) => OnnxNode[], shape = ['n', 3, 32, 32], metadata = {}) {
  const { graph, ...rest } = onnxModel(colour, 'float');
  const inputs = graph.inputs.map((each) => ({ ...each, shape }));
  return writeOnnx({ ...rest, metadata, graph: { ...graph, inputs, nodes: graph.nodes.flatMap(change) } });
}

const changedTranspose = (changes: Partial<OnnxNode>) =>
  changedColour((node) => [node.opType === 'Transpose' ? { ...node, ...changes } : node]);

for (const input of ONNX_INPUTS) {
  test(`the graph of a colour model with ${input} input is restored even without metadata`, () => {
    const file = writeOnnx({ ...onnxModel(colour, input), metadata: {} });
    const { parameters, architecture, standardization } = importModel(file);
    assert.equal(parametersDigest(parameters), colour.digest);
    assert.deepEqual(architecture.inputShape, [32, 32, 3]);
    const [found, expected] = [standardization!, byChannel].map(({ mean, std }) => [mean, std].flat());
    found!.forEach((value, i) => {
      assert.ok(Math.abs(value - expected![i]!) < 1e-7, `${value} at ${i}`);
    });
  });
}

test('without its Transpose, the first layer of a colour graph takes planes', () => {
  const { parameters } = importModel(changedTranspose({ opType: 'Identity' }));
  parameters.subarray(0, 3072).forEach((weight, i) => {
    assert.equal(weight, colour.parameters[(i % 3) * 1024 + Math.floor(i / 3)], `${i}`);
  });
});

test('pixels of three numbers may come as such, and be turned twice', () => {
  const twice = changedColour(
    (node) => {
      if (['Sub', 'Div'].includes(node.opType)) return [];
      if (node.opType !== 'Transpose') return [node];
      const attributes = { perm: { ints: [0, 3, 1, 2] } };
      const first = { ...node, name: 'first', inputs: ['image'], outputs: ['planes'], attributes };
      return [first, { ...node, inputs: ['planes'] }];
    },
    ['n', 32, 32, 3],
  );
  assert.equal(parametersDigest(importModel(twice).parameters), colour.digest);
});

test('the request gives the shape of flat images only', () => {
  const small = modelOf(dense([64, 3]), { standardization: null });
  const shaped = (...shape: (number | string)[]) => {
    const { graph, ...rest } = onnxModel(small, 'float');
    const inputs = graph.inputs.map((each) => ({ ...each, shape }));
    return writeOnnx({ ...rest, metadata: {}, graph: { ...graph, inputs } });
  };
  assert.deepEqual(importModel(shaped('n', 64)).architecture.inputShape, [8, 8]);
  assert.deepEqual(importModel(shaped('n', '')).architecture.inputShape, [8, 8]);
  assert.deepEqual(importModel(shaped()).architecture.inputShape, [8, 8]);
  assert.deepEqual(importModel(shaped('n', 8, 8, 1), { inputShape: [8, 8] }).architecture.inputShape, [8, 8]);
  const refusal = (shape: (number | string)[], inputShape: RequestedShape, message: RegExp) =>
    assert.throws(
      () => importModel(shaped(...shape), { inputShape }),
      isAtelierError('invalid-model-file', message, '#/inputShape'),
    );
  refusal(['n', 1, 8, 8], [16, 32], /input "image" has shape \(n, 1, 8, 8\), but inputShape is 16×32/);
  refusal(['n', 32, 16], [16, 32], /has shape \(n, 32, 16\), but inputShape is 16×32/);
  refusal(['n', 3072], [16, 32], /has shape \(n, 3072\), but inputShape is 16×32/);
  refusal(['n', 3072], 'auto', /has shape \(n, 3072\), but 3072 values are not a square/);
  refusal(
    ['n', 4, 32, 32],
    'auto',
    /has shape \(n, 4, 32, 32\), but images have 1 or 3 channels and 8 to 64/,
  );
  refusal(['n', 3, '', ''], [32, 32, 3], /\(n, 3, \?, \?\), but a colour image must have known sizes/);
});

for (const [defect, file, message] of [
  [
    'turns images after they were flattened',
    changedColour((node) =>
      node.opType === 'Transpose'
        ? [
            { ...node, opType: 'Flatten' },
            { ...node, inputs: ['channels_last'], outputs: ['turned'] },
          ]
        : [node],
    ),
    /node "Transpose channels_last" \(Transpose\) must permute the axes of the images/,
  ],
  [
    'moves the batch',
    changedTranspose({ attributes: { perm: { ints: [1, 0, 2, 3] } } }),
    /\(Transpose\) must permute the axes of the images/,
  ],
  [
    'repeats an axis',
    changedTranspose({ attributes: { perm: { ints: [0, 2, 2, 1] } } }),
    /\(Transpose\) must permute the axes of the images/,
  ],
  [
    'has a number for each row',
    changedColour((node) => [node], ['n', 32, 3, 32]),
    /input "image" has shape \(n, 32, 3, 32\), but images have 1 or 3 channels/,
  ],
  [
    'scales rows by the numbers of channels',
    changedColour((node) => [node], ['n', 32, 32, 3]),
    /node "Sub centred" \(Sub\) must take .* or one for each channel/,
  ],
  [
    'has another shape than its metadata',
    changedColour(
      (node) => [node],
      undefined,
      onnxModel(modelOf(dense([3072, 3, 2], [48, 64])), 'float').metadata,
    ),
    /its graph has images of 32×32×3, unlike its metadata/,
  ],
] as const) {
  test(`rejects a graph that ${defect}`, () => {
    assert.throws(() => importModel(file), isAtelierError('invalid-model-file', message));
  });
}
