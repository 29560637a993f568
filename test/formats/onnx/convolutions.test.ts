import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportModel } from '../../../src/formats/models/export.ts';
import { EXPORT_FORMATS, ONNX_INPUTS } from '../../../src/formats/models/export-formats.ts';
import { importModel } from '../../../src/formats/models/import.ts';
import { jsonParameters } from '../../../src/formats/models/json.ts';
import { parametersDigest } from '../../../src/formats/models/metadata.ts';
import { onnxModel } from '../../../src/formats/onnx/graph.ts';
import type { OnnxNode, OnnxTensor } from '../../../src/formats/onnx/message.ts';
import { writeOnnx } from '../../../src/formats/onnx/write.ts';
import { ACTIVATIONS } from '../../../src/numerics/network/activations.ts';
import type { Architecture } from '../../../src/numerics/network/architecture.ts';
import { verifyExport } from '../../../src/workers/tasks/verify-export.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { modelOf } from '../fixtures.ts';

const GREY: Architecture = {
  inputShape: [28, 28],
  convolutions: [[3], [5]],
  norm: 'none',
  hidden: [4],
  classes: 3,
};
const COLOUR: Architecture = {
  inputShape: [13, 22, 3],
  convolutions: [[4, 8], [4]],
  norm: 'group',
  hidden: [],
  classes: 2,
};
const standardization = {
  mean: [0.5, 0.25, 0.125] as [number, number, number],
  std: [0.25, 0.5, 1] as [number, number, number],
};

test('a network with convolutions is restored bit for bit from every format, with its metadata', () => {
  for (const model of [modelOf(GREY), modelOf(COLOUR, { standardization })]) {
    const { inputShape, convolutions, norm, hidden } = model.architecture;
    for (const format of EXPORT_FORMATS) {
      for (const input of ONNX_INPUTS) verifyExport(exportModel(model, format, input), format, model, input);
      const file = exportModel(model, format);
      if (format === 'json') {
        const json = JSON.parse(Buffer.from(file).toString());
        assert.deepEqual([json.convolutions, json.norm], [convolutions, norm]);
        assert.equal(json.parameters.K1[0].length, inputShape.length === 3 ? 3 : 1);
        assert.equal(parametersDigest(jsonParameters(file)), model.digest);
        continue;
      }
      const isKnown = format === 'safetensors' || format === 'onnx';
      const hints =
        format === 'npz' ? { inputShape, convolutions } : { inputShape, convolutions, norm, hidden };
      const found = importModel(file, isKnown ? {} : hints);
      assert.equal(parametersDigest(found.parameters), model.digest, format);
      assert.deepEqual(found.architecture, model.architecture);
      if (isKnown) assert.deepEqual(found.standardization, model.standardization);
    }
  }
});

for (const input of ONNX_INPUTS) {
  test(`a graph of convolutions with ${input} input is restored even without metadata`, () => {
    for (const architecture of [GREY, COLOUR]) {
      for (const activation of ACTIVATIONS) {
        const model = modelOf(architecture, { activation });
        const found = importModel(writeOnnx({ ...onnxModel(model, input), metadata: {} }));
        assert.deepEqual(found.architecture, architecture);
        assert.equal(found.activation, activation);
        assert.equal(parametersDigest(found.parameters), model.digest);
      }
    }
  });
}

/** An exported graph, with changed nodes, and more initializers; without metadata. */
function changed(
  architecture: Architecture,
  change: (node: OnnxNode) => readonly OnnxNode[],
  initializers: readonly OnnxTensor[] = [],
  shape?: (number | string)[],
) {
  const { graph, ...rest } = onnxModel(
    modelOf(architecture, { standardization: null, activation: 'relu' }),
    'float',
  );
  const inputs = graph.inputs.map((each) => (shape ? { ...each, shape } : each));
  const nodes = graph.nodes.flatMap(change);
  const all = [...graph.initializers, ...initializers];
  return writeOnnx({ ...rest, metadata: {}, graph: { ...graph, inputs, nodes, initializers: all } });
}

const withAttributes = (name: string, attributes: OnnxNode['attributes'], architecture = GREY) =>
  changed(architecture, (node) =>
    node.name === name ? [{ ...node, attributes: { ...node.attributes, ...attributes } }] : [node],
  );
const withType = (name: string, opType: string) =>
  changed(GREY, (node) => [node.name === name ? { ...node, opType } : node]);
/** Another node between `after` and the nodes that use it. */
function inserted(
  after: string,
  node: Partial<OnnxNode>,
  initializers: OnnxTensor[] = [],
  architecture = GREY,
) {
  const plain = { name: 'mine', opType: '', domain: '', attributes: {}, ...node };
  let added = [{ ...plain, inputs: [after, ...(node.inputs ?? [])], outputs: ['new'] }];
  const change = (each: OnnxNode) => {
    if (!each.inputs.includes(after)) return [each];
    const first = added;
    added = [];
    return [...first, { ...each, inputs: each.inputs.map((name) => (name === after ? 'new' : name)) }];
  };
  return changed(architecture, change, initializers);
}
const vector = (name: string, length: number, value = 1): OnnxTensor => ({
  name,
  dims: [length],
  data: new Float32Array(length).fill(value),
});
const pool = { opType: 'MaxPool', attributes: { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } } };

/** The first pooling before its activation. */
function pooledFirst(activation: string) {
  return changed(GREY, (node) => {
    const [output] = node.outputs;
    if (output === 'a_convolution1') return [{ ...node, ...pool }];
    if (output === 'pooled1') return [{ ...node, opType: activation, attributes: {} }];
    return [node.opType === 'Relu' ? { ...node, opType: activation } : node];
  });
}

for (const [defect, file, message] of [
  [
    'has a kernel of 5×5',
    withAttributes('Conv convolution1', { kernel_shape: { ints: [5, 5] } }),
    /node "Conv convolution1" \(Conv\) has the kernel_shape 5, 5; only 3, 3/,
  ],
  [
    'has a stride of 2',
    withAttributes('Conv convolution1', { strides: { ints: [2, 2] } }),
    /has the strides 2, 2; only 1, 1/,
  ],
  [
    'is dilated',
    withAttributes('Conv convolution2', { dilations: { ints: [2, 2] } }),
    /"Conv convolution2" \(Conv\) has the dilations 2, 2; only 1, 1/,
  ],
  ['has groups', withAttributes('Conv convolution2', { group: { int: 3 } }), /has the group 3; only 1/],
  [
    'has no padding',
    withAttributes('Conv convolution1', { pads: { ints: [0, 0, 0, 0] } }),
    /has the pads 0, 0, 0, 0; only 1, 1, 1, 1/,
  ],
  [
    'pads one side',
    withAttributes('Conv convolution1', { pads: { ints: [0, 0, 2, 2] } }),
    /has the pads 0, 0, 2, 2; only 1, 1, 1, 1/,
  ],
  [
    'averages',
    withType('MaxPool pooled1', 'AveragePool'),
    /\(AveragePool\) is not supported; .*MaxPool 2×2 with stride 2/,
  ],
  [
    'pools everything',
    withType('MaxPool pooled2', 'GlobalMaxPool'),
    /\(GlobalMaxPool\) is not supported; .*MaxPool 2×2 with stride 2/,
  ],
  [
    'pools 3×3',
    withAttributes('MaxPool pooled1', { kernel_shape: { ints: [3, 3] } }),
    /"MaxPool pooled1" \(MaxPool\) has the kernel_shape 3, 3; only 2, 2/,
  ],
  [
    'has pooling without a size',
    withAttributes('MaxPool pooled1', { kernel_shape: { ints: [] } }),
    /"MaxPool pooled1" \(MaxPool\) has no kernel_shape; only 2, 2/,
  ],
  [
    'pools with stride 1',
    withAttributes('MaxPool pooled1', { strides: { ints: [1, 1] } }),
    /has the strides 1, 1; only 2, 2/,
  ],
  [
    'rounds up',
    withAttributes('MaxPool pooled1', { ceil_mode: { int: 1 } }),
    /has the ceil_mode 1; only 0 is supported/,
  ],
  [
    'pads the pooling',
    withAttributes('MaxPool pooled1', { pads: { ints: [1, 1, 1, 1] } }),
    /has the pads 1, 1, 1, 1; only 0, 0, 0, 0/,
  ],
  ['pools twice', inserted('pooled1', pool), /"mine" \(MaxPool\) follows another MaxPool/],
  [
    'pools images',
    changed(GREY, (node) =>
      node.outputs[0] === 'convolution1' ? [{ ...node, ...pool, inputs: ['image'] }] : [node],
    ),
    /\(MaxPool\) must follow a convolution/,
  ],
  [
    'does not pool the last convolution',
    withType('MaxPool pooled2', 'Identity'),
    /"K2" is the last convolution, but no 2×2 max pooling follows it/,
  ],
  [
    'flattens before a convolution',
    inserted('pooled1', { opType: 'Flatten' }),
    /"Conv convolution2" \(Conv\) must follow a convolution, without a Flatten/,
  ],
  [
    'takes flat images',
    changed(GREY, (node) => [node], [], ['n', 784]),
    /\(Conv\) must take images of known sizes, channels × height × width/,
  ],
  [
    'takes colour images with channels last',
    changed(COLOUR, (node) => [node], [], ['n', 22, 13, 3]),
    /\(Conv\) must take images of known sizes/,
  ],
  [
    'turns grey images',
    inserted('image', { opType: 'Transpose', attributes: { perm: { ints: [0, 1, 3, 2] } } }),
    /\(Conv\) must take images of known sizes/,
  ],
  [
    'has other channels than its kernels',
    changed(GREY, (node) => [node], [], ['n', 3, 28, 28]),
    /"K1" has shape \(3, 1, 3, 3\), but must have \(channels, 3, 3, 3\)/,
  ],
  [
    'has batch normalization after the activation',
    inserted('a_convolution1', { opType: 'BatchNormalization', inputs: ['v', 'v', 'v', 'v'] }, [
      vector('v', 3),
    ]),
    /\(BatchNormalization\) must directly follow a convolution: before its activation/,
  ],
  [
    'has batch normalization of fully connected layers',
    inserted('z1', { opType: 'BatchNormalization', inputs: ['v', 'v', 'v', 'v'] }, [vector('v', 4)]),
    /\(BatchNormalization\) must follow a convolution/,
  ],
  [
    'has a negative variance',
    inserted('convolution1', { opType: 'BatchNormalization', inputs: ['v', 'v', 'v', 'm'] }, [
      vector('v', 3),
      vector('m', 3, -1),
    ]),
    /"m" has -1 at position 0; a variance is not negative/,
  ],
  [
    'normalizes groups of 8 channels',
    withAttributes('GroupNormalization normalized2', { num_groups: { int: 1 } }, COLOUR),
    /\(GroupNormalization\) divides 8 channels into 1 group; only groups of 4 channels/,
  ],
  [
    'has another epsilon',
    withAttributes('GroupNormalization normalized1', { epsilon: { float: 1e-3 } }, COLOUR),
    /has the epsilon 0.001.*; only 0.00001 is supported/,
  ],
  [
    'normalizes some convolutions only',
    changed(COLOUR, (node) => [
      node.name === 'GroupNormalization normalized1'
        ? { ...node, opType: 'Identity', inputs: node.inputs.slice(0, 1), attributes: {} }
        : node,
    ]),
    /2 of its 3 convolutions have group normalization; all or none/,
  ],
  [
    'normalizes each channel by itself',
    inserted('convolution1', { opType: 'InstanceNormalization', inputs: ['one', 'zero'] }, [
      vector('one', 3),
      vector('zero', 3, 0),
    ]),
    /\(InstanceNormalization\) divides 3 channels into 3 groups; only groups of 4 channels/,
  ],
  [
    'ends without a fully connected layer',
    changed({ ...GREY, hidden: [] }, (node) => {
      const { opType } = node;
      return [['Gemm', 'Relu'].includes(opType) ? { ...node, opType: 'Identity', attributes: {} } : node];
    }),
    /it has no fully connected layer after its convolutions/,
  ],
  [
    'pools before silu',
    pooledFirst('Swish'),
    /\(Swish\) is silu after a MaxPool; it must be before the MaxPool/,
  ],
] as const) {
  test(`rejects a graph that ${defect}`, () => {
    assert.throws(() => importModel(file), isAtelierError('invalid-model-file', message));
  });
}

for (const [what, architecture, shape, opType, attributes] of [
  ['grey images without an axis of channels', GREY, ['n', 28, 28], 'Unsqueeze', { axes: { ints: [1] } }],
  ['grey images with channels last', GREY, ['n', 28, 28, 1], 'Transpose', { perm: { ints: [0, 3, 1, 2] } }],
  [
    'colour images with channels last',
    COLOUR,
    ['n', 13, 22, 3],
    'Transpose',
    { perm: { ints: [0, 3, 1, 2] } },
  ],
] as const) {
  test(`a graph may take ${what}`, () => {
    const first = { name: 'first', opType, domain: '', inputs: ['image'], outputs: ['planes'], attributes };
    const change = (node: OnnxNode) =>
      node.inputs[0] === 'image' ? [first, { ...node, inputs: ['planes', ...node.inputs.slice(1)] }] : [node];
    const found = importModel(changed(architecture, change, [], [...shape]));
    assert.deepEqual(found.architecture, architecture);
    assert.equal(parametersDigest(found.parameters), modelOf(architecture).digest);
  });
}

test('the sums before group normalization, times the sigmoid of those after it, are not silu', () => {
  const model = modelOf(COLOUR, { activation: 'silu' });
  const { graph, ...rest } = onnxModel(model, 'float');
  const nodes = graph.nodes.map((node) =>
    node.name === 'Mul a_convolution1' ? { ...node, inputs: [node.inputs[0]!, 'convolution1'] } : node,
  );
  assert.throws(
    () => importModel(writeOnnx({ ...rest, metadata: {}, graph: { ...graph, nodes } })),
    isAtelierError('invalid-model-file', /node "Mul a_convolution1" \(Mul\) is not supported/),
  );
});

test('pooling may precede a monotonic activation, which gives the same values', () => {
  assert.equal(parametersDigest(importModel(pooledFirst('Relu')).parameters), modelOf(GREY).digest);
});
