/** Verifies the graph of an exported ONNX file: what it computes besides the layers that an import reads. */
import { isDeepStrictEqual } from 'node:util';
import type { OnnxInput } from '../models/export-formats.ts';
import { rejectModelFile } from '../models/file-error.ts';
import { isSameStandardization, type PublishedModel } from '../models/metadata.ts';
import { followNodes } from './follow.ts';
import { onnxInputShape, onnxVersions } from './graph.ts';
import { readOnnx } from './read.ts';
import { joinChannels, UNCHANGED } from './scaling.ts';

/**
 * An import accepts graphs whose end or range of pixels differs: logits, other outputs, pixels of 0–255 as floats.
 * @param temperature divisor of the logits; null for none
 * @throws AtelierError `invalid-model-file` naming what differs
 */
export function verifyOnnxGraph(
  bytes: Uint8Array,
  model: PublishedModel,
  input: OnnxInput,
  temperature: number | null = null,
): void {
  const { architecture, standardization } = model;
  const { hidden, classes } = architecture;
  const { irVersion, opset, metadata, graph } = readOnnx(bytes);
  const logits = `z${hidden.length + 1}`;
  const division = {
    opType: 'Div',
    inputs: [logits, 'temperature'],
    outputs: ['calibrated'],
    attributes: {},
  };
  const divisor = graph.initializers.find(({ name }) => name === 'temperature');
  const found = {
    versions: { irVersion, opset },
    inputs: graph.inputs,
    outputs: graph.outputs,
    digest: metadata['digest'],
    temperature: divisor?.data?.[0] ?? null,
    end: graph.nodes.slice(temperature === null ? -2 : -3).map(({ name: _, domain: __, ...node }) => node),
  };
  const expected: typeof found = {
    versions: onnxVersions(architecture),
    inputs: [{ name: 'image', elementType: input, shape: onnxInputShape(architecture) }],
    outputs: [
      { name: 'probabilities', elementType: 'float', shape: ['batch', classes] },
      { name: 'label', elementType: 'int64', shape: ['batch'] },
    ],
    digest: model.digest,
    temperature: temperature && Math.fround(temperature),
    end: [
      ...(temperature === null ? [] : [division]),
      {
        opType: 'Softmax',
        inputs: [temperature === null ? logits : 'calibrated'],
        outputs: ['probabilities'],
        attributes: { axis: { int: 1 } },
      },
      {
        opType: 'ArgMax',
        inputs: ['probabilities'],
        outputs: ['label'],
        attributes: { axis: { int: 1 }, keepdims: { int: 0 } },
      },
    ],
  };
  for (const part of Object.keys(expected) as (keyof typeof expected)[]) {
    if (!isDeepStrictEqual(found[part], expected[part]))
      rejectModelFile(
        `the ${part} of its graph are ${JSON.stringify(found[part])} instead of ${JSON.stringify(expected[part])}`,
      );
  }
  const [images] = graph.inputs;
  const chain = followNodes(graph, images!, images!.shape.slice(1) as number[]).get('probabilities');
  if (chain?.kind !== 'chain') rejectModelFile('its probabilities do not follow from the image');
  const scaling = joinChannels(chain.scaling[input === 'uint8' ? 'byte' : 'unit']);
  if (!isSameStandardization(scaling, standardization ?? UNCHANGED))
    rejectModelFile(
      `its graph standardizes pixels by ${JSON.stringify(scaling)} instead of ${JSON.stringify(standardization)}`,
    );
}
