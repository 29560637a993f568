import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportModel } from '../../../src/formats/models/export.ts';
import { EXPORT_FORMATS, ONNX_INPUTS, type OnnxInput } from '../../../src/formats/models/export-formats.ts';
import { onnxModel } from '../../../src/formats/onnx/graph.ts';
import type { OnnxGraph, OnnxNode } from '../../../src/formats/onnx/message.ts';
import { writeOnnx } from '../../../src/formats/onnx/write.ts';
import { ACTIVATIONS } from '../../../src/numerics/network/activations.ts';
import { verifyExport } from '../../../src/workers/tasks/verify-export.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { modelOf } from '../../formats/fixtures.ts';
import { dense } from '../../support/dense.ts';

const model = modelOf(dense([784, 5, 3]));
const changed = { ...model, parameters: model.parameters.slice() };
changed.parameters[3930] = 1;

for (const format of EXPORT_FORMATS) {
  test(`accepts a ${format} file of the model and rejects one with other parameters`, () => {
    verifyExport(exportModel(model, format), format, model, 'float');
    assert.throws(
      () => verifyExport(exportModel(changed, format), format, model, 'float'),
      isAtelierError(
        'internal-error',
        /my-model@7 was not exported: the .* file does not represent the model \(.*digest/,
      ),
    );
  });
}

test('accepts ONNX files of networks with every activation, standardization and input', () => {
  const standardizations = [
    null,
    { mean: 0, std: 1 },
    { mean: 1 / 3, std: 0.1 },
    // For pixels of 0–255, as a client may import them.
    { mean: 33.3, std: 78.6 },
  ];
  for (const architecture of [
    [784, 3],
    [784, 5, 4, 3],
  ])
    for (const activation of ACTIVATIONS)
      for (const standardization of standardizations)
        for (const input of ONNX_INPUTS) {
          const exported = modelOf(dense(architecture), { activation, standardization });
          verifyExport(exportModel(exported, 'onnx', input), 'onnx', exported, input);
        }
});

const TEMPERATURE = 1.7;

test('accepts a calibrated ONNX file with the same temperature only', () => {
  const calibrated = exportModel(model, 'onnx', 'float', TEMPERATURE);
  verifyExport(calibrated, 'onnx', model, 'float', TEMPERATURE);
  assertRejected(calibrated, 'float', /digest/);
  assertRejected(calibrated, 'float', /digest/, 1.8);
  assertRejected(exportModel(model, 'onnx'), 'float', /digest/, TEMPERATURE);
  assertRejected(exportModel(changed, 'onnx', 'float', TEMPERATURE), 'float', /digest/, TEMPERATURE);
});

for (const [what, division] of [
  ['multiplies by the temperature', { opType: 'Mul' }],
  ['divides another layer by the temperature', { inputs: ['z1', 'temperature'] }],
] as const) {
  test(`rejects a calibrated ONNX file that ${what}`, () => {
    const plain = { ...model, standardization: null };
    const { graph, ...file } = onnxModel(plain, 'float', TEMPERATURE);
    const written = writeOnnx({ ...file, graph: { ...graph, ...withNode('Div', division)(graph) } });
    assert.throws(
      () => verifyExport(written, 'onnx', plain, 'float', TEMPERATURE),
      isAtelierError('internal-error', /my-model@7 was not exported/),
    );
  });
}

test('rejects an ONNX file of another activation, standardization, class or input', () => {
  for (const wrong of [
    { ...model, activation: 'relu' as const },
    { ...model, standardization: null },
    { ...model, standardization: { mean: 0.25, std: 0.51 } },
    { ...model, classNames: ['a', 'b', 'c'] },
  ])
    assertRejected(exportModel(wrong, 'onnx'), 'float', /.*/);
  assertRejected(exportModel(model, 'onnx', 'uint8'), 'float', /inputs of its graph/);
});

/** Graphs that an import accepts, or that differ from their metadata. */
const MUTATIONS: readonly [
  what: string,
  input: OnnxInput,
  mutate: (graph: OnnxGraph) => Partial<OnnxGraph>,
  message: RegExp,
][] = [
  ['no softmax', 'float', (graph) => without(graph, 'Softmax', 'z2'), /is not computed|end of its graph/],
  ['the logarithm of the softmax', 'float', withNode('Softmax', { opType: 'LogSoftmax' }), /end of its/],
  ['the softmax of another axis', 'float', withNode('Softmax', { attributes: { axis: { int: 0 } } }), /axis/],
  ['the softmax as sigmoid', 'float', withNode('Softmax', { opType: 'Sigmoid' }), /last layer/],
  [
    'labels that keep their dimension',
    'float',
    withNode('ArgMax', { attributes: { axis: { int: 1 }, keepdims: { int: 1 } } }),
    /end of its/,
  ],
  ['labels of the sums', 'float', withNode('ArgMax', { inputs: ['z2'] }), /not supported|end of its/],
  ['another activation', 'float', withNode('Tanh', { opType: 'Relu' }), /another activation/],
  [
    'a leaky ReLU of another slope',
    'float',
    withNode('Tanh', { opType: 'LeakyRelu', attributes: { alpha: { float: 0.2 } } }),
    /has the alpha 0\.2\d*; only 0\.01 is supported/,
  ],
  ['no activation', 'float', (graph) => without(graph, 'Tanh', 'z1'), /another activation/],
  [
    'a layer whose products are doubled',
    'float',
    withNode('Gemm', { attributes: { transB: { int: 1 }, alpha: { float: 2 } } }),
    /digest/,
  ],
  [
    'weights that are not transposed',
    'float',
    withNode('Gemm', { attributes: { transB: { int: 0 } } }),
    /shape/,
  ],
  ['no subtraction of the mean', 'float', (graph) => without(graph, 'Sub', 'image'), /another activation or/],
  ['addition of the mean', 'float', withNode('Sub', { opType: 'Add' }), /another activation or/],
  ['pixels that are not divided by 255', 'uint8', (graph) => without(graph, 'Div', 'pixels'), /another/],
  [
    'pixels as integers',
    'uint8',
    withNode('Cast', { attributes: { to: { int: 2 } } }),
    /must convert to float/,
  ],
  [
    'outputs in another order',
    'float',
    ({ outputs }) => ({ outputs: outputs.toReversed() }),
    /outputs of its graph/,
  ],
  ['no label', 'float', ({ outputs }) => ({ outputs: outputs.slice(0, 1) }), /outputs of its graph/],
  [
    'one batch size',
    'float',
    ({ inputs }) => ({ inputs: [{ ...inputs[0]!, shape: [1, 784] }] }),
    /inputs of its graph/,
  ],
];

for (const [what, input, mutate, message] of MUTATIONS) {
  test(`rejects an ONNX file with ${what}`, () => {
    const file = onnxModel(model, input);
    const graph = { ...file.graph, ...mutate(file.graph) };
    assertRejected(writeOnnx({ ...file, graph }), input, message);
  });
}

test('rejects an ONNX file that divides float pixels by 255 although they are 0 to 1', () => {
  const plain = modelOf(dense([784, 5, 3]), { standardization: null });
  const { graph, ...file } = onnxModel(plain, 'uint8');
  const nodes = graph.nodes
    .filter(({ opType }) => opType !== 'Cast')
    .map((node) => (node.outputs[0] === 'scaled' ? { ...node, inputs: ['image', 'max_pixel'] } : node));
  const inputs = graph.inputs.map((each) => ({ ...each, elementType: 'float' as const }));
  const written = writeOnnx({ ...file, graph: { ...graph, nodes, inputs } });
  assert.throws(
    () => verifyExport(written, 'onnx', plain, 'float'),
    isAtelierError('internal-error', /standardizes pixels by/),
  );
});

function assertRejected(
  file: Uint8Array,
  input: OnnxInput,
  message: RegExp,
  temperature: number | null = null,
): void {
  assert.throws(
    () => verifyExport(file, 'onnx', model, input, temperature),
    isAtelierError('internal-error', new RegExp(`does not represent the model \\(.*${message.source}`)),
  );
}

/** The first node of a type, changed. */
function withNode(opType: string, changes: Partial<OnnxNode>) {
  return ({ nodes }: OnnxGraph) => {
    const first = nodes.findIndex((node) => node.opType === opType);
    return { nodes: nodes.with(first, { ...nodes[first]!, ...changes }) };
  };
}

/** The first node of a type removed; the nodes after it use `input` in its place. */
function without({ nodes }: OnnxGraph, opType: string, input: string) {
  const removed = nodes.find((node) => node.opType === opType)!;
  const rest = nodes.filter((node) => node !== removed);
  const replace = (name: string) => (name === removed.outputs[0] ? input : name);
  return { nodes: rest.map((node) => ({ ...node, inputs: node.inputs.map(replace) })) };
}
