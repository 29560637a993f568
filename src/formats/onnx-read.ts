/** Reads the subset of ONNX that `writeOnnx` writes. */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { rejectModelFile } from './model-file-error.ts';
import {
  ATTRIBUTE,
  ATTRIBUTE_TYPES,
  DIMENSION,
  ELEMENT_TYPES,
  type ElementType,
  ENTRY,
  GRAPH,
  IR_VERSION,
  MODEL,
  NODE,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
  OPERATOR_SET,
  OPSET,
  SHAPE,
  TENSOR,
  TENSOR_TYPE,
  TYPE,
  VALUE_INFO,
} from './onnx-message.ts';

/** Values of each field of a message in file order: numbers for varints and floats, else bytes. */
type Fields = ReadonlyMap<number, readonly (number | Uint8Array)[]>;

/** @throws AtelierError `invalid-model-file` */
export function readOnnx(bytes: Uint8Array): OnnxModel {
  const model = parseFields(bytes);
  const opset = message(model, MODEL.opsetImport);
  const [ir, version] = [integer(model, MODEL.irVersion), integer(opset, OPERATOR_SET.version)];
  if (ir !== IR_VERSION || version !== OPSET || text(opset, OPERATOR_SET.domain) !== '') {
    rejectModelFile(
      `IR ${ir} with opset ${version} is not supported; it must be IR ${IR_VERSION} with opset ${OPSET}`,
    );
  }
  const entries = messages(model, MODEL.metadataProps).map((each) => [
    text(each, ENTRY.key),
    text(each, ENTRY.value),
  ]);
  return {
    producerName: text(model, MODEL.producerName),
    modelVersion: integer(model, MODEL.modelVersion),
    metadata: Object.fromEntries(entries),
    graph: readGraph(message(model, MODEL.graph)),
  };
}

function readGraph(graph: Fields): OnnxGraph {
  return {
    name: text(graph, GRAPH.name),
    nodes: messages(graph, GRAPH.node).map(readNode),
    initializers: messages(graph, GRAPH.initializer).map(readTensor),
    inputs: messages(graph, GRAPH.input).map(readValue),
    outputs: messages(graph, GRAPH.output).map(readValue),
  };
}

function readNode(node: Fields): OnnxNode {
  const attributes = messages(node, NODE.attribute).map((each) => [
    text(each, ATTRIBUTE.name),
    readAttribute(each),
  ]);
  return {
    opType: text(node, NODE.opType),
    inputs: texts(node, NODE.input),
    output: text(node, NODE.output),
    attributes: Object.fromEntries(attributes),
  };
}

function readAttribute(attribute: Fields): OnnxAttribute {
  const type = integer(attribute, ATTRIBUTE.type);
  if (type === ATTRIBUTE_TYPES.int) return { int: integer(attribute, ATTRIBUTE.int) };
  if (type === ATTRIBUTE_TYPES.float) return { float: one(attribute, ATTRIBUTE.float, isNumber) };
  return rejectModelFile(`attributes of type ${type} are not supported`);
}

function readTensor(tensor: Fields): OnnxTensor {
  const name = text(tensor, TENSOR.name);
  const dims = (tensor.get(TENSOR.dims) ?? []).filter(isNumber);
  const raw = one(tensor, TENSOR.rawData, isBytes);
  const bytes = dims.reduce((product, dimension) => product * dimension, 4);
  if (!dims.every((dimension) => dimension >= 1))
    rejectModelFile('a dimension of an initializer is less than 1');
  if (integer(tensor, TENSOR.dataType) !== ELEMENT_TYPES.float || bytes !== raw.length) {
    rejectModelFile(
      `initializer ${JSON.stringify(name.slice(0, 60))} is not float32, or its length does not match its shape`,
    );
  }
  return { name, dims, data: new Float32Array(raw.slice().buffer) };
}

function readValue(value: Fields): OnnxValue {
  const type = message(message(value, VALUE_INFO.type), TYPE.tensorType);
  const elementType = integer(type, TENSOR_TYPE.elemType);
  const [known] = Object.entries(ELEMENT_TYPES).find(([, number]) => number === elementType) ?? [];
  return {
    name: text(value, VALUE_INFO.name),
    elementType:
      (known as ElementType | undefined) ??
      rejectModelFile(`elements of type ${elementType} are not supported`),
    shape: messages(message(type, TENSOR_TYPE.shape), SHAPE.dim).map((dimension) =>
      dimension.has(DIMENSION.param) ? text(dimension, DIMENSION.param) : integer(dimension, DIMENSION.value),
    ),
  };
}

function parseFields(bytes: Uint8Array): Fields {
  const fields = new Map<number, (number | Uint8Array)[]>();
  try {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      const values = fields.get(field) ?? [];
      values.push(fieldValue(reader, wireType));
      fields.set(field, values);
    }
  } catch (cause) {
    rejectModelFile('it is not an ONNX file, or it is damaged', cause);
  }
  return fields;
}

function fieldValue(reader: BinaryReader, wireType: WireType): number | Uint8Array {
  if (wireType === WireType.Varint) return Number(reader.int64());
  if (wireType === WireType.Bit32) return reader.float();
  if (wireType === WireType.LengthDelimited) return reader.bytes();
  throw new RangeError(`Wire type ${wireType} is not supported.`);
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

function all<T>(fields: Fields, field: number, isRight: (value: unknown) => value is T): T[] {
  return (fields.get(field) ?? []).map((value) =>
    isRight(value) ? value : rejectModelFile(`field ${field} of a message has the wrong type`),
  );
}

function one<T>(fields: Fields, field: number, isRight: (value: unknown) => value is T): T {
  const [value, ...more] = all(fields, field, isRight);
  if (value === undefined || more.length > 0)
    rejectModelFile(`field ${field} of a message is missing or occurs twice`);
  return value;
}

const integer = (fields: Fields, field: number) => one(fields, field, isNumber);
const text = (fields: Fields, field: number) => Buffer.from(one(fields, field, isBytes)).toString();
const texts = (fields: Fields, field: number) =>
  all(fields, field, isBytes).map((bytes) => Buffer.from(bytes).toString());
const message = (fields: Fields, field: number) => parseFields(one(fields, field, isBytes));
const messages = (fields: Fields, field: number) => all(fields, field, isBytes).map(parseFields);
