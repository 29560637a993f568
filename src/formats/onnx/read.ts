/** Reads ONNX files: nodes, initializers, inputs and outputs of the graph, and metadata. */
import { rejectModelFile } from '../models/file-error.ts';
import {
  ATTRIBUTE,
  ATTRIBUTE_TYPES,
  DIMENSION,
  ELEMENT_TYPES,
  type ElementType,
  ENTRY,
  GRAPH,
  MODEL,
  NODE,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxValue,
  OPERATOR_SET,
  SHAPE,
  TENSOR_TYPE,
  TYPE,
  VALUE_INFO,
} from './message.ts';
import { readOnnxTensor } from './tensor.ts';
import {
  type Message,
  parseMessage,
  readIntegers,
  readMessage,
  readMessages,
  readNumber,
  readText,
  readTexts,
} from './wire.ts';

/** The standard operators have the empty domain, or this one. */
const STANDARD_DOMAIN = 'ai.onnx';
const MAX_INTS = 1024;
/** The metadata of an export is JSON in part, and takes a few thousand characters. */
const MAX_VALUE_LENGTH = 2 ** 20;

/** Tensors may be views of `bytes`. @throws AtelierError `invalid-model-file` */
export function readOnnx(bytes: Uint8Array): OnnxModel {
  const model = parseMessage(bytes);
  if (!model.fields.has(MODEL.graph)) rejectModelFile('it is not an ONNX file, because it has no graph');
  const operators = readMessages(model, MODEL.opsetImport).find(
    (each) => readDomain(each, OPERATOR_SET.domain) === '',
  );
  const entries = readMessages(model, MODEL.metadataProps).map((each) => {
    const [key, value] = [readText(each, ENTRY.key), readText(each, ENTRY.value)];
    if (value.length > MAX_VALUE_LENGTH)
      rejectModelFile(
        `its metadata has a value of ${value.length} characters; the limit is ${MAX_VALUE_LENGTH}`,
      );
    return [key, value];
  });
  return {
    irVersion: readNumber(model, MODEL.irVersion),
    opset: operators === undefined ? 0 : readNumber(operators, OPERATOR_SET.version),
    producerName: readText(model, MODEL.producerName),
    modelVersion: readNumber(model, MODEL.modelVersion),
    metadata: Object.fromEntries(entries),
    graph: readGraph(readMessage(model, MODEL.graph)),
  };
}

function readGraph(graph: Message): OnnxGraph {
  return {
    name: readText(graph, GRAPH.name),
    nodes: readMessages(graph, GRAPH.node).map(readNode),
    initializers: readMessages(graph, GRAPH.initializer).map(readOnnxTensor),
    inputs: readMessages(graph, GRAPH.input).map(readValue),
    outputs: readMessages(graph, GRAPH.output).map(readValue),
  };
}

function readNode(node: Message): OnnxNode {
  const attributes = readMessages(node, NODE.attribute).map((each) => [
    readText(each, ATTRIBUTE.name),
    readAttribute(each),
  ]);
  return {
    name: readText(node, NODE.name),
    opType: readText(node, NODE.opType),
    domain: readDomain(node, NODE.domain),
    inputs: readTexts(node, NODE.input),
    outputs: readTexts(node, NODE.output),
    attributes: Object.fromEntries(attributes),
  };
}

function readDomain(message: Message, field: number): string {
  const domain = readText(message, field);
  return domain === STANDARD_DOMAIN ? '' : domain;
}

function readAttribute(attribute: Message): OnnxAttribute {
  const type = readNumber(attribute, ATTRIBUTE.type);
  switch (type) {
    case ATTRIBUTE_TYPES.float:
      return { float: readNumber(attribute, ATTRIBUTE.float) };
    case ATTRIBUTE_TYPES.int:
      return { int: readNumber(attribute, ATTRIBUTE.int) };
    case ATTRIBUTE_TYPES.ints:
      return { ints: readIntegers(attribute, ATTRIBUTE.ints, MAX_INTS) };
    case ATTRIBUTE_TYPES.text:
      return { text: readText(attribute, ATTRIBUTE.text) };
    case ATTRIBUTE_TYPES.tensor:
      return { tensor: readOnnxTensor(readMessage(attribute, ATTRIBUTE.tensor)) };
    default:
      return { otherType: type };
  }
}

function readValue(value: Message): OnnxValue {
  const type = readMessage(readMessage(value, VALUE_INFO.type), TYPE.tensorType);
  const elementType = readNumber(type, TENSOR_TYPE.elemType);
  const [known] = Object.entries(ELEMENT_TYPES).find(([, number]) => number === elementType) ?? [];
  const dimensions = readMessages(readMessage(type, TENSOR_TYPE.shape), SHAPE.dim);
  return {
    name: readText(value, VALUE_INFO.name),
    elementType: (known as ElementType | undefined) ?? null,
    shape: dimensions.map((dimension) =>
      dimension.fields.has(DIMENSION.value)
        ? readNumber(dimension, DIMENSION.value)
        : readText(dimension, DIMENSION.param),
    ),
  };
}
