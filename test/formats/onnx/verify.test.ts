import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OnnxInput } from '../../../src/formats/models/export-formats.ts';
import type { PublishedModel } from '../../../src/formats/models/metadata.ts';
import { onnxModel } from '../../../src/formats/onnx/graph.ts';
import type { OnnxModel, OnnxNode } from '../../../src/formats/onnx/message.ts';
import { verifyOnnxGraph } from '../../../src/formats/onnx/verify.ts';
import { writeOnnx } from '../../../src/formats/onnx/write.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { dense } from '../../support/dense.ts';
import { modelOf } from '../fixtures.ts';

const model = modelOf(dense([784, 3, 2]));

interface Case {
  readonly exported?: PublishedModel;
  readonly input?: OnnxInput;
  /** In the file, and as it is expected. */
  readonly temperatures?: readonly [number | null, number | null];
  readonly change?: (file: OnnxModel) => OnnxModel;
}

function verify({ exported = model, input = 'float', temperatures = [null, null], change }: Case = {}): void {
  const file = onnxModel(exported, input, temperatures[0]);
  verifyOnnxGraph(writeOnnx(change?.(file) ?? file), model, input, temperatures[1]);
}

const refusal = (given: Case, message: RegExp) =>
  assert.throws(() => verify(given), isAtelierError('invalid-model-file', message));

const withGraph = (changes: (graph: OnnxModel['graph']) => Partial<OnnxModel['graph']>): Case => ({
  change: (file) => ({ ...file, graph: { ...file.graph, ...changes(file.graph) } }),
});
const withNode = (opType: string, changes: Partial<OnnxNode>): Case =>
  withGraph(({ nodes }) => ({
    nodes: nodes.map((node) => (node.opType === opType ? { ...node, ...changes } : node)),
  }));

test('an exported graph of either input is what the model computes, with and without a temperature', () => {
  for (const input of ['float', 'uint8'] as const) {
    verify({ input });
    // 1.7 is rounded to float32 in the file.
    verify({ input, temperatures: [1.7, 1.7] });
  }
});

test('a graph without standardization belongs to a model without it', () => {
  const plain = { ...model, standardization: null };
  for (const input of ['float', 'uint8'] as const) {
    verifyOnnxGraph(writeOnnx(onnxModel(plain, input)), plain, input);
    refusal(
      { exported: plain, input },
      /its graph standardizes pixels by \{"mean":0,"std":1\} instead of \{"mean":0.25,"std":0.5\}/,
    );
  }
});

test('a graph of pixels of 0–255 is none of pixels of 0–1', () => {
  const file = writeOnnx(onnxModel(model, 'uint8'));
  assert.throws(
    () => verifyOnnxGraph(file, model, 'float'),
    isAtelierError('invalid-model-file', /the inputs of its graph are .*"elementType":"uint8"/),
  );
});

test('versions, inputs, outputs and the digest are those of the model', () => {
  refusal(
    { change: (file) => ({ ...file, opset: 18 }) },
    /the versions of its graph are .*"opset":18\} instead of .*17/,
  );
  refusal(
    withGraph(({ inputs }) => ({ inputs: [{ ...inputs[0]!, shape: ['batch', 785] }] })),
    /the inputs of its graph are .*785.* instead of .*784/,
  );
  refusal(
    withGraph(({ outputs }) => ({ outputs: outputs.slice(0, 1) })),
    /the outputs of its graph are /,
  );
  refusal(
    withGraph(({ outputs }) => ({ outputs: [{ ...outputs[0]!, shape: ['batch', 3] }, outputs[1]!] })),
    /the outputs of its graph are .*3.* instead of .*2/,
  );
  refusal(
    { change: (file) => ({ ...file, metadata: { ...file.metadata, digest: 'sha256:0' } }) },
    /the digest of its graph are "sha256:0" instead of "sha256:/,
  );
});

test('the temperature is the expected one, divides the logits, and precedes the softmax', () => {
  refusal(
    { temperatures: [1.7, 1.8] },
    /the temperature of its graph are 1\.7000000476837158 instead of 1\.7999999/,
  );
  refusal(
    { temperatures: [1.7, null] },
    /the temperature of its graph are 1\.7000000476837158 instead of null/,
  );
  refusal(
    { temperatures: [null, 1.7] },
    /the temperature of its graph are null instead of 1\.7000000476837158/,
  );
  const calibrated = { temperatures: [1.7, 1.7] } as const;
  // The last division is that of the logits.
  const multiplied = withGraph(({ nodes }) => ({
    nodes: nodes.map((node) => (node.name === 'Div calibrated' ? { ...node, opType: 'Mul' } : node)),
  }));
  refusal(
    { ...calibrated, ...multiplied },
    /the end of its graph are \[\{"opType":"Mul","inputs":\["z2","temperature"\]/,
  );
});

test('the graph ends with the softmax and the lowest label of the highest probability', () => {
  refusal(withNode('Softmax', { attributes: { axis: { int: -1 } } }), /the end of its graph are .*-1/);
  refusal(
    withNode('Softmax', { opType: 'LogSoftmax' }),
    /the end of its graph are .*LogSoftmax.* instead of .*"Softmax"/,
  );
  refusal(withNode('ArgMax', { inputs: ['z2'] }), /the end of its graph are /);
  refusal(
    withNode('ArgMax', { attributes: { axis: { int: 1 }, keepdims: { int: 1 } } }),
    /the end of its graph are .*"keepdims":\{"int":1\}/,
  );
  refusal(
    withNode('ArgMax', { attributes: { axis: { int: 0 }, keepdims: { int: 0 } } }),
    /the end of its graph are /,
  );
});

test('the names of nodes do not matter', () => {
  verify(withNode('Softmax', { name: 'another' }));
});

test('the standardization of the graph is that of the model', () => {
  const wrong = { ...model, standardization: { mean: 0.25, std: 0.625 } };
  refusal(
    { exported: wrong },
    /standardizes pixels by \{"mean":0.25,"std":0.625\} instead of \{"mean":0.25,"std":0.5\}/,
  );
});
