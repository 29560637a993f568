import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportModel } from '../../../src/formats/models/export.ts';
import { ONNX_INPUTS } from '../../../src/formats/models/export-formats.ts';
import { importModel } from '../../../src/formats/models/import.ts';
import { parametersDigest } from '../../../src/formats/models/metadata.ts';
import { onnxModel } from '../../../src/formats/onnx/graph.ts';
import {
  ELEMENT_TYPES,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
} from '../../../src/formats/onnx/message.ts';
import { writeOnnx } from '../../../src/formats/onnx/write.ts';
import { ACTIVATIONS } from '../../../src/numerics/network/activations.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { dense } from '../../support/dense.ts';
import { modelOf } from '../fixtures.ts';

const rounded = { mean: Math.fround(0.286), std: Math.fround(0.353) };

for (const input of ONNX_INPUTS) {
  for (const standardization of [null, { mean: 0.286, std: 0.353 }]) {
    const kind = standardization ? 'standardized' : 'plain';
    test(`${kind} exports with ${input} input are restored with their digest`, () => {
      for (const activation of ACTIVATIONS) {
        for (const architecture of [dense([784, 3]), dense([784, 5, 10]), dense([784, 6, 5, 4, 2])]) {
          const model = modelOf(architecture, { activation, standardization });
          const { parameters, ...found } = importModel(exportModel(model, 'onnx', input));
          assert.equal(parametersDigest(parameters), model.digest);
          const { classNames } = model;
          assert.deepEqual(found, {
            source: 'onnx',
            architecture,
            rounded: 0,
            activation,
            classNames,
            standardization,
            preprocessing: null,
            assumed: [],
          });
        }
      }
    });

    test(`a ${kind} graph with ${input} input is restored even without metadata`, () => {
      const model = modelOf(dense([784, 5, 4, 10]), { activation: 'sigmoid', standardization });
      const file = writeOnnx({ ...onnxModel(model, input), metadata: {} });
      const { parameters, activation, assumed, standardization: found } = importModel(file);
      assert.equal(parametersDigest(parameters), model.digest);
      assert.equal(activation, 'sigmoid');
      assert.deepEqual(found, standardization && rounded);
      const isUnknown = input === 'float' && standardization === null;
      assert.deepEqual(assumed, isUnknown ? ['classNames', 'standardization'] : ['classNames']);
    });
  }
}

const model = modelOf(dense([784, 5, 4, 10]), { activation: 'relu', standardization: null });

/** An exported graph of two hidden layers, changed and without metadata. */
function changed(change: (graph: OnnxGraph) => Partial<OnnxGraph>, metadata = {}): Uint8Array {
  const original: OnnxModel = onnxModel(model, 'float');
  return writeOnnx({ ...original, metadata, graph: { ...original.graph, ...change(original.graph) } });
}

const changedNode = (name: string, changes: Partial<OnnxNode>) =>
  changed(({ nodes }) => ({
    nodes: nodes.map((node) => (node.name === name ? { ...node, ...changes } : node)),
  }));

/** The node, between the node of the same name and those that use its result. */
function inserted(
  opType: string,
  after: string,
  inputs: string[] = [],
  attributes: OnnxNode['attributes'] = {},
) {
  const node = {
    name: `my ${opType}`,
    opType,
    domain: '',
    inputs: [after, ...inputs],
    outputs: ['new'],
    attributes,
  };
  return changed(({ nodes, initializers }) => {
    const renamed = nodes.map((each) => ({
      ...each,
      inputs: each.inputs.map((input) => (input === after ? 'new' : input)),
    }));
    const at = nodes.findIndex(({ outputs }) => outputs[0] === after) + 1;
    const scalars = [
      { name: 'two', dims: [], data: Float32Array.of(2) },
      { name: 'zero', dims: [], data: Float32Array.of(0) },
    ];
    return { nodes: renamed.toSpliced(at, 0, node), initializers: [...initializers, ...scalars] };
  });
}

for (const [opType, after] of [
  ['Identity', 'a1'],
  ['Dropout', 'a1'],
  ['Reshape', 'image'],
  ['Flatten', 'image'],
  ['Identity', 'probabilities'],
] as const) {
  test(`passes over ${opType} after ${after}`, () => {
    const { parameters } = importModel(inserted(opType, after));
    assert.equal(parametersDigest(parameters), model.digest);
  });
}

const scaledBy = (opType: string) => importModel(inserted(opType, 'image', ['two'])).standardization;

test('scaling by single numbers becomes the standardization', () => {
  assert.deepEqual(scaledBy('Sub'), { mean: 2, std: 1 });
  assert.deepEqual(scaledBy('Add'), { mean: -2, std: 1 });
  assert.deepEqual(scaledBy('Mul'), { mean: 0, std: 0.5 });
  assert.deepEqual(scaledBy('Div'), { mean: 0, std: 2 });
});

for (const inputs of [
  ['z1', 'gate1'],
  ['gate1', 'z1'],
]) {
  test(`the sums of a layer times their sigmoid are silu: ${inputs.join(' · ')}`, () => {
    const silu = modelOf(dense([784, 5, 10]), { activation: 'silu', standardization: null });
    const { graph, ...rest } = onnxModel(silu, 'float');
    const nodes = graph.nodes.map((node) => (node.opType === 'Mul' ? { ...node, inputs } : node));
    const found = importModel(writeOnnx({ ...rest, metadata: {}, graph: { ...graph, nodes } }));
    assert.equal(found.activation, 'silu');
    assert.equal(parametersDigest(found.parameters), silu.digest);
  });
}

test('the operator Swish is silu, with the factor 1 only', () => {
  const swish = (alpha: number) =>
    changed(({ nodes }) => ({
      nodes: nodes.map((node) =>
        node.opType === 'Relu' ? { ...node, opType: 'Swish', attributes: { alpha: { float: alpha } } } : node,
      ),
    }));
  assert.equal(importModel(swish(1)).activation, 'silu');
  assert.throws(() => importModel(swish(2)), isAtelierError('invalid-model-file', /has the alpha 2/));
});

for (const [name, gated, factor] of [
  ['after the biases by the sigmoid before them', 'product', 'sums'],
  ['before the biases by the sigmoid after them', 'sums', 'product'],
] as const) {
  test(`the sums ${name} are not silu`, () => {
    const silu = modelOf(dense([784, 5, 10]), { activation: 'silu', standardization: null });
    const { graph, ...rest } = onnxModel(silu, 'float');
    const nodes = graph.nodes.flatMap((node): OnnxNode[] => {
      if (node.name === 'Gemm z1') {
        const gemm = { ...node, inputs: ['image', 'W1'], outputs: ['product'] };
        return [
          gemm,
          { ...node, opType: 'Add', inputs: ['product', 'b1'], outputs: ['sums'], attributes: {} },
        ];
      }
      if (node.opType === 'Sigmoid') return [{ ...node, inputs: [gated] }];
      return node.opType === 'Mul' ? [{ ...node, inputs: ['gate1', factor] }] : [node];
    });
    const file = writeOnnx({ ...rest, metadata: {}, graph: { ...graph, nodes } });
    assert.throws(() => importModel(file), isAtelierError('invalid-model-file', /Mul a1.*is not supported/));
  });
}

test('a product of two layers is not silu', () => {
  const silu = modelOf(dense([784, 5, 5, 10]), { activation: 'silu', standardization: null });
  const { graph, ...rest } = onnxModel(silu, 'float');
  for (const inputs of [
    ['gate2', 'z1'],
    ['gate2', 'gate2'],
    ['z2', 'z2'],
    ['gate2', 'a1'],
  ]) {
    const nodes = graph.nodes.map((node) => (node.name === 'Mul a2' ? { ...node, inputs } : node));
    const file = writeOnnx({ ...rest, metadata: {}, graph: { ...graph, nodes } });
    assert.throws(() => importModel(file), isAtelierError('invalid-model-file', /Mul a2.*is not supported/));
  }
});

test('the factor of the biases of a Gemm does not apply to an Add after it', () => {
  const file = changed(({ nodes }) => {
    const at = nodes.findIndex(({ name }) => name === 'Gemm z1');
    const attributes = { transB: { int: 1 }, beta: { float: 0.5 } };
    const gemm = { ...nodes[at]!, inputs: ['image', 'W1'], outputs: ['product'], attributes };
    const add = { ...gemm, opType: 'Add', inputs: ['b1', 'product'], outputs: ['z1'], attributes: {} };
    return { nodes: nodes.toSpliced(at, 1, gemm, add) };
  });
  assert.equal(parametersDigest(importModel(file).parameters), model.digest);
});

test('a layer without biases has zero biases, which the import reports', () => {
  const { parameters, assumed } = importModel(changedNode('Gemm z1', { inputs: ['image', 'W1'] }));
  assert.deepEqual(assumed, ['classNames', 'standardization', 'biases']);
  const units = model.architecture.hidden[0]!;
  assert.ok(parameters.subarray(784 * units, 785 * units).every((bias) => bias === 0));
});

for (const [defect, file, message] of [
  [
    'has another operator',
    changedNode('Relu a1', { opType: 'Elu' }),
    /node "Relu a1" \(Elu\) is not supported; supported/,
  ],
  [
    'has an operator of another domain',
    changedNode('Relu a2', { domain: 'com.me' }),
    /node "Relu a2" \(com\.me\.Relu\)/,
  ],
  [
    'mixes activations',
    changedNode('Relu a2', { opType: 'Tanh' }),
    /node "Relu a2" \(Tanh\) differs .*\(relu, tanh\)/,
  ],
  [
    'has another alpha',
    changedNode('Relu a1', { opType: 'LeakyRelu', attributes: { alpha: { float: 0.25 } } }),
    /node "Relu a1" \(LeakyRelu\) has the alpha 0\.25; only 0\.01/,
  ],
  [
    'transposes the images',
    changedNode('Gemm z1', { attributes: { transA: { int: 1 } } }),
    /\(Gemm\) has transA/,
  ],
  [
    'has weights of another shape',
    changedNode('Gemm z1', { attributes: {} }),
    /"W1" has shape \(5, 784\), but must/,
  ],
  [
    'shares weights',
    changedNode('Gemm z2', { inputs: ['a1', 'W1', 'b2'] }),
    /"Gemm z2" \(Gemm\) has the weights "W1" of/,
  ],
  [
    'computes weights',
    changedNode('Gemm z2', { inputs: ['a1', 'z1', 'b2'] }),
    /weights that are an initializer/,
  ],
  [
    'uses later results',
    changedNode('Gemm z2', { inputs: ['a2', 'W2', 'b2'] }),
    /uses "a2" before it is computed/,
  ],
  ['activates twice', inserted('Relu', 'a1'), /node "my Relu" \(Relu\) is not supported/],
  ['activates the end', inserted('Relu', 'z3'), /node "Softmax probabilities" \(Softmax\) is not supported/],
  [
    'has a Sigmoid for each class',
    changed(({ nodes, outputs }) => ({
      nodes: nodes
        .slice(0, -1)
        .map((node) => (node.opType === 'Softmax' ? { ...node, opType: 'Sigmoid' } : node)),
      outputs: outputs.slice(0, 1),
    })),
    /\(Sigmoid\) follows the last layer, as in a multilabel classifier; an image has exactly one class here; only Softmax/,
  ],
  ['subtracts from sums', inserted('Sub', 'z1', ['two']), /node "my Sub" \(Sub\) is not supported/],
  ['adds biases twice', inserted('Add', 'z1', ['two']), /node "my Add" \(Add\) is not supported/],
  ['multiplies images by 0', inserted('Mul', 'image', ['zero']), /by finite numbers above 0/],
  ['divides images by 0', inserted('Div', 'image', ['zero']), /by finite numbers above 0/],
  [
    'turns the batch',
    inserted('Transpose', 'image'),
    /node "my Transpose" \(Transpose\) must permute the axes/,
  ],
  [
    'scales by pixel',
    inserted('Sub', 'image', ['W1']),
    /single floating-point number, the same for all pixels/,
  ],
  [
    'divides sums by one number for each unit',
    inserted('Div', 'z1', ['b1']),
    /\(Div\) must take the sums of a layer and a single floating-point number/,
  ],
  ['divides sums by zero', inserted('Div', 'z1', ['zero']), /not finite in float32/],
  [
    'casts to integers',
    inserted('Cast', 'image', [], { to: { int: ELEMENT_TYPES.uint8 } }),
    /\(Cast\) must convert to float/,
  ],
  [
    'changes probabilities',
    inserted('Mul', 'probabilities', ['two']),
    /node "my Mul" \(Mul\) is not supported/,
  ],
  [
    'outputs labels only',
    changed(({ outputs }) => ({ outputs: outputs.slice(1) })),
    /node "ArgMax label" \(ArgMax\) is the output; the output must be logits or probabilities/,
  ],
  [
    'has no nodes',
    changed(({ outputs }) => ({ nodes: [], outputs: outputs.slice(0, 1) })),
    /"probabilities" is not computed/,
  ],
  [
    'has two inputs',
    changed(({ inputs }) => ({ inputs: [...inputs, { ...inputs[0]!, name: 'x' }] })),
    /2 inputs instead/,
  ],
  [
    'takes larger images',
    changed(({ inputs }) => ({ inputs: [{ ...inputs[0]!, shape: ['n', 3, 32, 32] }] })),
    /"W1" has shape \(5, 784\), but must have \(units, 3072\)/,
  ],
  [
    'contradicts its metadata',
    changed(() => ({}), onnxModel({ ...model, activation: 'tanh' }, 'float').metadata),
    /another activation or standardization than its metadata/,
  ],
] as const) {
  test(`rejects a graph that ${defect}`, () => {
    assert.throws(() => importModel(file), isAtelierError('invalid-model-file', message));
  });
}

test('rejects other protobuf messages, and files with too many fields', () => {
  const refusal = (bytes: Uint8Array, message: RegExp) =>
    assert.throws(() => importModel(bytes), isAtelierError('invalid-model-file', message));
  refusal(Uint8Array.of(8, 1, 18, 0), /not an ONNX file, because it has no graph/);
  refusal(Uint8Array.of(8, 8, 58, 0), /has version 0 of the ONNX operators/);
  refusal(Uint8Array.of(8, 8, 58, 200), /not an ONNX file, or it is damaged/);
  // Empty nodes of two bytes, each of which would take hundreds of bytes of memory.
  const nodes = Buffer.alloc(2 ** 21, Uint8Array.of(10, 0));
  refusal(Buffer.concat([Buffer.of(8, 8, 58, 0x80, 0x80, 0x80, 1), nodes]), /more than 50000 fields/);
});
