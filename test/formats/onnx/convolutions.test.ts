import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Normalization } from '../../../src/formats/arrays/tensor.ts';
import { exportModel } from '../../../src/formats/models/export.ts';
import { EXPORT_FORMATS, ONNX_INPUTS } from '../../../src/formats/models/export-formats.ts';
import { importModel } from '../../../src/formats/models/import.ts';
import { jsonParameters } from '../../../src/formats/models/json.ts';
import { parametersDigest } from '../../../src/formats/models/metadata.ts';
import type { Chain, OnnxOperand } from '../../../src/formats/onnx/chain.ts';
import {
  addToChannels,
  CONVOLUTION_OPERATORS,
  scaleChannels,
} from '../../../src/formats/onnx/convolutions.ts';
import { onnxModel } from '../../../src/formats/onnx/graph.ts';
import type { OnnxNode, OnnxTensor } from '../../../src/formats/onnx/message.ts';
import { UNSCALED } from '../../../src/formats/onnx/scaling.ts';
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

const chain: Chain = {
  ...{ kind: 'chain', scaling: UNSCALED, sizes: [3, 8, 8], axes: [0, 1, 2], isReshaped: false },
  ...{ layers: [], stage: 'input' },
};
const constant = (dims: readonly number[], value = 0): OnnxOperand => ({
  ...{ kind: 'constant', transposed: false },
  tensor: {
    name: 'c',
    dims,
    data: new Float32Array(dims.reduce((product, size) => product * size, 1)).fill(value),
  },
});
const nodeOf = (opType: string, attributes: OnnxNode['attributes'] = {}): OnnxNode => ({
  ...{ name: 'n', opType, domain: '', inputs: [], outputs: ['out'], attributes },
});
const apply = (opType: string, operands: readonly (OnnxOperand | undefined)[], attributes = {}) =>
  CONVOLUTION_OPERATORS[opType]!(operands, nodeOf(opType, attributes)) as Chain;
const refusal = (run: () => unknown, message: RegExp) =>
  assert.throws(run, isAtelierError('invalid-model-file', message));
const PADS = { pads: { ints: [1, 1, 1, 1] } };
const POOL = { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } };
const convolve = (images: Chain, channels = 4) =>
  apply('Conv', [images, constant([channels, 3, 3, 3])], PADS);
const convolved = convolve(chain);
const four = constant([4], 2);

test('the padding of a convolution is one pixel on each side, or the same size', () => {
  const kernels = constant([4, 3, 3, 3]);
  for (const attributes of [
    PADS,
    { auto_pad: { text: 'SAME_UPPER' } },
    { auto_pad: { text: 'SAME_LOWER' } },
    { auto_pad: { text: 'NOTSET' }, ...PADS },
  ])
    assert.equal(apply('Conv', [chain, kernels], attributes).layers.length, 1);
  refusal(() => apply('Conv', [chain, kernels]), /has the pads 0, 0, 0, 0; only 1, 1, 1, 1/);
  refusal(
    () => apply('Conv', [chain, kernels], { auto_pad: { text: 'VALID' }, ...PADS }),
    /has the auto_pad VALID; only pads of 1 are supported/,
  );
  refusal(
    () => apply('Conv', [chain, kernels], { auto_pad: { text: 'x'.repeat(30) } }),
    /has the auto_pad x{20}; only/,
  );
});

test('a convolution has biases, or none yet, and keeps the order of images', () => {
  const [layer] = apply('Conv', [chain, constant([4, 3, 3, 3]), four], PADS).layers;
  assert.deepEqual([layer!.weights.shape, layer!.biases?.shape], [[4, 3, 3, 3], [4]]);
  assert.deepEqual([layer!.transposed, layer!.activation], [false, null]);
  assert.deepEqual(
    [convolved.layers[0]!.biases, convolved.stage, convolved.isReshaped],
    [null, 'sums', false],
  );
  for (const dims of [
    [4, 3, 3],
    [4, 3, 5, 3],
    [4, 3, 3, 3, 1],
  ])
    refusal(
      () => apply('Conv', [chain, constant(dims)], PADS),
      /; only \(outputs, inputs, 3, 3\) is supported/,
    );
});

test('grey images may have been reshaped, but colours must come first, and rows before columns', () => {
  const order = /must take images of known sizes, channels × height × width/;
  const grey: Chain = { ...chain, sizes: [1, 8, 9] };
  assert.equal(convolve({ ...grey, isReshaped: true }).isReshaped, false);
  assert.equal(convolve({ ...grey, axes: [1, 2, 0] }).layers.length, 1);
  refusal(() => convolve({ ...grey, axes: [0, 2, 1] }), order);
  refusal(() => convolve({ ...grey, sizes: [1, 1, 9] }), order);
  refusal(() => convolve({ ...grey, sizes: [], axes: [], isReshaped: true }), order);
  refusal(() => convolve({ ...chain, axes: [1, 2, 0] }), order);
  refusal(() => convolve({ ...chain, axes: [0, 2, 1] }), order);
  refusal(() => convolve({ ...chain, isReshaped: true }), order);
  // Channels last in the input of the graph, then transposed.
  assert.equal(convolve({ ...chain, sizes: [8, 9, 3], axes: [2, 0, 1] }).layers.length, 1);
});

test('a convolution follows another one, but neither groups nor probabilities nor a Flatten', () => {
  const again = (changes: Partial<Chain>) =>
    apply('Conv', [{ ...convolved, ...changes }, constant([4, 4, 3, 3])], PADS);
  assert.equal(again({}).layers.length, 2);
  refusal(() => again({ stage: 'groups' }), /node "n" \(Conv\) is not supported/);
  refusal(() => again({ stage: 'probabilities' }), /node "n" \(Conv\) is not supported/);
  refusal(() => again({ isReshaped: true }), /must follow a convolution, without a Flatten or Reshape/);
});

test('a max pooling may be called valid, but has no padding', () => {
  for (const padding of ['NOTSET', 'VALID'])
    assert.equal(
      apply('MaxPool', [convolved], { ...POOL, auto_pad: { text: padding } }).layers[0]!.isPooled,
      true,
    );
  refusal(
    () => apply('MaxPool', [convolved], { ...POOL, auto_pad: { text: 'SAME_UPPER_AND_MUCH_MORE' } }),
    /has the auto_pad SAME_UPPER_AND_MUCH_; only VALID/,
  );
  refusal(
    () => apply('MaxPool', [convolved], { ...POOL, dilations: { ints: [2, 2] } }),
    /has the dilations 2, 2/,
  );
  refusal(
    () => apply('MaxPool', [convolved], { kernel_shape: { ints: [2, 2] } }),
    /has the strides 1, 1; only 2, 2/,
  );
});

test('batch normalization has four vectors, and an epsilon that is 0.00001 by default', () => {
  const vectors = [constant([4], 1), constant([4], 2), constant([4], 3), constant([4], 4)];
  const { norm } = apply('BatchNormalization', [convolved, ...vectors]).layers[0]!;
  const { scale, shift, statistics } = norm!;
  assert.deepEqual(
    [scale, shift, statistics!.mean, statistics!.variance].map((each) => each!.data[0]),
    [1, 2, 3, 4],
  );
  assert.equal(statistics!.epsilon, 1e-5);
  const other = apply('BatchNormalization', [convolved, ...vectors], { epsilon: { float: 0.25 } });
  assert.equal(other.layers[0]!.norm!.statistics!.epsilon, 0.25);
  for (let count = 0; count < 4; count++)
    refusal(
      () => apply('BatchNormalization', [convolved, ...vectors.slice(0, count)]),
      /\(BatchNormalization\) must have five inputs/,
    );
  refusal(
    () => apply('BatchNormalization', [convolved, ...vectors], { training_mode: { int: 1 } }),
    /has the training_mode 1; only 0/,
  );
  refusal(
    () => apply('BatchNormalization', [convolved, ...vectors], { spatial: { int: 0 } }),
    /has the spatial 0; only 1/,
  );
});

test('a normalization directly follows a convolution', () => {
  const vectors = [four, four, four, four];
  const directly = /must directly follow a convolution: before its activation, MaxPool and any other/;
  const normalized = apply('BatchNormalization', [convolved, ...vectors]);
  for (const wrong of [
    normalized,
    apply('MaxPool', [convolved], POOL),
    { ...convolved, stage: 'activations' as const },
  ])
    refusal(() => apply('BatchNormalization', [wrong, ...vectors]), directly);
});

test('group normalization has groups of four channels, scales and shifts', () => {
  const eight = convolve(chain, 8);
  const vectors = [constant([8], 1), constant([8], 2)];
  const groups = (count: number) => ({ num_groups: { int: count } });
  const { norm } = apply('GroupNormalization', [eight, ...vectors], groups(2)).layers[0]!;
  assert.deepEqual([norm!.scale!.data[0], norm!.shift!.data[0], norm!.statistics], [1, 2, null]);
  refusal(
    () => apply('GroupNormalization', [eight, ...vectors]),
    /divides 8 channels into 0 groups; only groups of 4 channels/,
  );
  refusal(() => apply('GroupNormalization', [eight, ...vectors], groups(1)), /8 channels into 1 group; only/);
  for (let count = 0; count < 2; count++)
    refusal(
      () => apply('GroupNormalization', [eight, ...vectors.slice(0, count)], groups(2)),
      /must have three inputs/,
    );
});

test('an instance normalization of groups has scales of 1 and biases of 0', () => {
  const grouped = { ...convolve(chain, 8), isReshaped: true };
  const [ones, zeros] = [constant([2], 1), constant([2], 0)];
  const found = apply('InstanceNormalization', [grouped, ones, zeros]);
  assert.deepEqual(found.layers[0]!.norm, { scale: null, shift: null, statistics: null });
  assert.deepEqual([found.stage, found.isReshaped], ['groups', true]);
  const must = /must follow a Reshape to groups, and have scales of 1 and biases of 0/;
  refusal(() => apply('InstanceNormalization', [convolve(chain, 8), ones, zeros]), must);
  refusal(() => apply('InstanceNormalization', [grouped, constant([2], 2), zeros]), must);
  refusal(() => apply('InstanceNormalization', [grouped, ones, constant([2], 1)]), must);
});

test('an Add after a convolution is its biases, or else the shifts of its group normalization', () => {
  const vector = constant([4, 1, 1], 5);
  const add = (to: Chain) => addToChannels(to, vector, nodeOf('Add')).layers[0]!;
  assert.equal(add(convolved).biases!.data[0], 5);
  const withBiases = apply('Conv', [chain, constant([4, 3, 3, 3]), four], PADS);
  refusal(() => add(withBiases), /node "n" \(Add\) is not supported/);
  const layer = convolved.layers[0]!;
  const scale = { name: 's', shape: [4], data: new Float32Array(4) };
  const withNorm = (norm: Normalization): Chain => ({ ...convolved, layers: [{ ...layer, norm }] });
  const plain = { scale: null, shift: null, statistics: null };
  const found = add(withNorm({ ...plain, scale }));
  assert.deepEqual([found.norm!.shift!.data[0], found.norm!.scale, found.biases], [5, scale, null]);
  const statistics = { mean: scale, variance: scale, epsilon: 1 };
  refusal(() => add(withNorm({ ...plain, shift: scale })), /\(Add\) is not supported/);
  refusal(() => add(withNorm({ ...plain, statistics })), /\(Add\) is not supported/);
});

test('a Mul after a convolution is the scales of its group normalization, before the shifts', () => {
  const vector = constant([1, 4, 1, 1], 5);
  const layer = convolved.layers[0]!;
  const some = { name: 's', shape: [4], data: new Float32Array(4) };
  const scaled = (norm?: Normalization) =>
    scaleChannels(norm ? { ...convolved, layers: [{ ...layer, norm }] } : convolved, vector, nodeOf('Mul'));
  const plain = { scale: null, shift: null, statistics: null };
  const { norm } = scaled(plain).layers[0]!;
  assert.deepEqual([norm!.scale!.data[0], norm!.scale!.shape, norm!.shift], [5, [4], null]);
  const statistics = { mean: some, variance: some, epsilon: 1 };
  for (const wrong of [
    undefined,
    { ...plain, scale: some },
    { ...plain, shift: some },
    { ...plain, statistics },
  ])
    refusal(() => scaled(wrong), /node "n" \(Mul\) is not supported/);
});
