/** Graphs that multiply or divide the sums of a layer by a number, as calibrated exports do with their logits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportModel } from '../../../src/formats/models/export.ts';
import { importModel } from '../../../src/formats/models/import.ts';
import { onnxModel } from '../../../src/formats/onnx/graph.ts';
import type { OnnxNode } from '../../../src/formats/onnx/message.ts';
import { writeOnnx } from '../../../src/formats/onnx/write.ts';
import { blocks } from '../../../src/numerics/network/architecture.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { dense } from '../../support/dense.ts';
import { modelOf } from '../fixtures.ts';

const model = modelOf(dense([784, 5, 4, 10]), { activation: 'relu', standardization: null });
const silu = modelOf(dense([784, 5, 10]), { activation: 'silu', standardization: null });

/** An exported graph without metadata, with the constant `two` and other nodes in place of the node of this name. */
function replaced(original: typeof model, name: string, replace: (node: OnnxNode) => OnnxNode[]): Uint8Array {
  const { graph, ...rest } = onnxModel(original, 'float');
  const nodes = graph.nodes.flatMap((node) => (node.name === name ? replace(node) : [node]));
  const initializers = [...graph.initializers, { name: 'two', dims: [], data: Float32Array.of(2) }];
  return writeOnnx({ ...rest, metadata: {}, graph: { ...graph, nodes, initializers } });
}

/** The parameters of the model, those of some blocks multiplied. */
function multiplied(names: readonly string[], factor: number): Float32Array {
  const changed = Float32Array.from(model.parameters);
  for (const { name, start, end } of blocks(model.architecture)) {
    if (!names.includes(name)) continue;
    for (let i = start; i < end; i++) changed[i]! *= factor;
  }
  return changed;
}

for (const [opType, factor] of [
  ['Div', 0.5],
  ['Mul', 2],
] as const) {
  for (const layer of [1, 3]) {
    test(`${opType} of the sums of layer ${layer} becomes part of its weights and biases`, () => {
      const file = replaced(model, `Gemm z${layer}`, (node) => [
        { ...node, outputs: ['sums'] },
        { ...node, opType, inputs: ['sums', 'two'], attributes: {} },
      ]);
      const { parameters, rounded } = importModel(file);
      assert.deepEqual(parameters, multiplied([`W${layer}`, `b${layer}`], factor));
      assert.equal(rounded, 0, 'halves and doubles are exact');
    });
  }
}

test('biases that are added after the division are not divided', () => {
  const file = replaced(model, 'Gemm z3', (node) => [
    { ...node, inputs: node.inputs.slice(0, 2), outputs: ['product'] },
    { ...node, opType: 'Div', inputs: ['product', 'two'], outputs: ['half'], attributes: {} },
    { ...node, opType: 'Add', inputs: ['half', 'b3'], attributes: {} },
  ]);
  assert.deepEqual(importModel(file).parameters, multiplied(['W3'], 0.5));
});

test('a calibrated export keeps its metadata, and its last layer is divided by the temperature', () => {
  const { parameters, classNames } = importModel(exportModel(model, 'onnx', 'float', 4));
  assert.deepEqual(parameters, multiplied(['W3', 'b3'], 0.25));
  assert.deepEqual(classNames, model.classNames);
});

test('a calibrated export whose weights were changed contradicts its metadata', () => {
  const { graph, ...rest } = onnxModel(model, 'float', 4);
  const initializers = graph.initializers.map((tensor) =>
    tensor.name === 'b3' ? { ...tensor, data: new Float32Array(10) } : tensor,
  );
  const file = writeOnnx({ ...rest, graph: { ...graph, initializers } });
  assert.throws(() => importModel(file), isAtelierError('invalid-model-file', /declares digest/));
});

test('the sums times the sigmoid of their double are not silu', () => {
  const file = replaced(silu, 'Sigmoid gate1', (node) => [
    { ...node, opType: 'Mul', inputs: ['z1', 'two'], outputs: ['doubled'] },
    { ...node, inputs: ['doubled'] },
  ]);
  assert.throws(() => importModel(file), isAtelierError('invalid-model-file', /Mul a1.*is not supported/));
});
