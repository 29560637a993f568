import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Chain } from '../../../src/formats/onnx/chain.ts';
import { findNetwork, followNodes } from '../../../src/formats/onnx/follow.ts';
import type { OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from '../../../src/formats/onnx/message.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

type Step = readonly [opType: string, inputs: string, output: string];

const IMAGE: OnnxValue = { name: 'image', elementType: 'float', shape: ['n', 4] };
const initializers: OnnxTensor[] = [
  { name: 'V', dims: [4, 3], data: new Float32Array(12).fill(1) },
  { name: 'W', dims: [3, 2], data: new Float32Array(6).fill(1) },
  { name: 'R', dims: [4, 4], data: new Float32Array(16).fill(1) },
  { name: 'S', dims: [4, 4], data: new Float32Array(16).fill(1) },
  { name: 'U', dims: [3, 1], data: new Float32Array(3).fill(1) },
];

/** A graph of nodes, each with inputs and outputs separated by spaces; `_` is an input that is left out. */
function graphOf(steps: readonly Step[], outputs: string, changes: Partial<OnnxNode> = {}): OnnxGraph {
  const nodes = steps.map(
    ([opType, inputs, output]): OnnxNode => ({
      name: `my ${opType}`,
      opType,
      domain: '',
      inputs: inputs.split(' ').map((name) => (name === '_' ? '' : name)),
      outputs: output.split(' '),
      attributes: {},
      ...changes,
    }),
  );
  const values = outputs.split(' ').map((name): OnnxValue => ({ name, elementType: 'float', shape: [] }));
  return { name: 'g', nodes, initializers, inputs: [IMAGE], outputs: values };
}

const follow = (steps: readonly Step[], changes: Partial<OnnxNode> = {}) =>
  followNodes(graphOf(steps, 'p', changes), IMAGE, [4]);
function network(steps: readonly Step[], outputs: string): Chain {
  const graph = graphOf(steps, outputs);
  return findNetwork(graph, followNodes(graph, IMAGE, [4]));
}
const refusal = (run: () => unknown, message: RegExp) =>
  assert.throws(run, isAtelierError('invalid-model-file', message));

const FIRST: Step[] = [
  ['MatMul', 'image V', 'z1'],
  ['Relu', 'z1', 'a1'],
];
const SECOND: Step[] = [...FIRST, ['MatMul', 'a1 W', 'z2'], ['Softmax', 'z2', 'p']];

test('the images begin unscaled and in their order; of unknown sizes, they are reshaped', () => {
  const graph = graphOf([], 'p');
  const { kind: _, scaling, ...known } = followNodes(graph, IMAGE, [3, 8, 9]).get('image') as Chain;
  assert.deepEqual(known, {
    layers: [],
    sizes: [3, 8, 9],
    axes: [0, 1, 2],
    isReshaped: false,
    stage: 'input',
  });
  assert.equal(scaling.used, false);
  const { sizes, axes, isReshaped } = followNodes(graph, IMAGE, null).get('image') as Chain;
  assert.deepEqual([sizes, axes, isReshaped], [[], [], true]);
});

test('initializers are constants', () => {
  const found = follow([]).get('V');
  assert.deepEqual(found, { kind: 'constant', tensor: initializers[0], transposed: false });
});

test('only the first output of a node is the network', () => {
  const values = follow([['Dropout', 'image', 'kept mask']]);
  assert.equal(values.get('kept')!.kind, 'chain');
  assert.equal(values.get('mask')!.kind, 'other');
});

test('an input may be left out, but not be computed later', () => {
  assert.equal(follow([['Gemm', 'image V _', 'z1']]).get('z1')!.kind, 'chain');
  refusal(
    () => follow([['Relu', 'later', 'a1']]),
    /node "my Relu" \(Relu\) uses "later" before it is computed/,
  );
});

test('operators that are known, and only those of no other domain, apply to the network', () => {
  refusal(() => follow([['Elu', 'image', 'x']]), /"my Elu" \(Elu\) is not supported/);
  refusal(() => follow([['toString', 'image', 'x']]), /\(toString\) is not supported/);
  refusal(() => follow([['Relu', 'image', 'x']], { domain: 'com.me' }), /\(com\.me\.Relu\) is not supported/);
});

test('what is computed without the network, or from its probabilities, is passed over', () => {
  const values = follow([
    ...SECOND,
    ['ArgMax', 'p', 'label'],
    ['Elu', 'p', 'others'],
    ['Elu', 'V', 'more'],
    ['Softmax', 'V', 'rows'],
  ]);
  for (const name of ['label', 'others', 'more', 'rows']) assert.equal(values.get(name)!.kind, 'other', name);
});

test('Identity, Cast, Transpose and Constant also apply to weights', () => {
  const values = follow([
    ['Identity', 'V', 'same'],
    ['Transpose', 'V', 'turned'],
  ]);
  assert.equal(values.get('same')!.kind, 'constant');
  const turned = values.get('turned')!;
  assert.equal(turned.kind === 'constant' && turned.transposed, true);
});

test('the network is the output with most layers; logits, probabilities and a label may be outputs', () => {
  const label: Step = ['ArgMax', 'p', 'label'];
  for (const outputs of ['p', 'p label', 'label p', 'z2 p', 'p z2'])
    assert.equal(network([...SECOND, label], outputs).layers.length, 2);
  // Both end with the layer of S.
  const shared: Step[] = [
    ['MatMul', 'image S', 'short'],
    ['MatMul', 'image R', 'first'],
    ['MatMul', 'first S', 'long'],
  ];
  for (const outputs of ['short long', 'long short']) assert.equal(network(shared, outputs).layers.length, 2);
  assert.equal(network(SECOND, 'z2').stage, 'sums');
});

test('an output is computed', () => {
  refusal(() => network(SECOND, 'p x'), /its output "x" is not computed/);
});

test('a label alone is not enough, nor is a graph without layers', () => {
  refusal(
    () => network([...SECOND, ['ArgMax', 'p', 'label']], 'label'),
    /node "my ArgMax" \(ArgMax\) is the output; the output must be logits or probabilities/,
  );
  refusal(() => network([], 'image'), /its graph has no layer/);
});

test('outputs of several layers are ambiguous', () => {
  refusal(
    () => network(SECOND, 'a1 p'),
    /its graph has outputs of several layers; keep the probabilities only/,
  );
  refusal(() => network(SECOND, 'p a1'), /its graph has outputs of several layers/);
});

test('the last layer has no activation, unless it is the sigmoid of a single unit', () => {
  const end = (activation: string, weights: string): Step[] => [
    ...FIRST,
    ['MatMul', `a1 ${weights}`, 'z2'],
    [activation, 'z2', 'p'],
  ];
  assert.equal(network(end('Sigmoid', 'U'), 'p').layers.length, 2);
  refusal(
    () => network(end('Sigmoid', 'W'), 'p'),
    /\(Sigmoid\) follows the last layer, as in a multilabel classifier; .*; only Softmax or nothing, or Sigmoid after one unit, may/,
  );
  refusal(
    () => network(end('Tanh', 'U'), 'p'),
    /"my Tanh" \(Tanh\) follows the last layer; only Softmax or nothing/,
  );
});
