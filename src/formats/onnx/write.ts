/** Serialises an ONNX model as protobuf. The same model gives the same bytes. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { viewBytes } from '../arrays/tensor.ts';
import {
  ATTRIBUTE,
  ATTRIBUTE_TYPES,
  DIMENSION,
  ELEMENT_TYPES,
  ENTRY,
  GRAPH,
  MODEL,
  NODE,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
  OPERATOR_SET,
  SHAPE,
  TENSOR,
  TENSOR_TYPE,
  TYPE,
  VALUE_INFO,
} from './message.ts';

export function writeOnnx(model: OnnxModel): Uint8Array {
  const { irVersion, opset, producerName, modelVersion, metadata, graph } = model;
  const writer = new BinaryWriter();
  integer(writer, MODEL.irVersion, irVersion);
  text(writer, MODEL.producerName, producerName);
  integer(writer, MODEL.modelVersion, modelVersion);
  message(writer, MODEL.graph, () => writeGraph(writer, graph));
  message(writer, MODEL.opsetImport, () => {
    text(writer, OPERATOR_SET.domain, '');
    integer(writer, OPERATOR_SET.version, opset);
  });
  for (const [key, value] of Object.entries(metadata)) {
    message(writer, MODEL.metadataProps, () => {
      text(writer, ENTRY.key, key);
      text(writer, ENTRY.value, value);
    });
  }
  return writer.finish();
}

function writeGraph(writer: BinaryWriter, graph: OnnxGraph): void {
  for (const node of graph.nodes) message(writer, GRAPH.node, () => writeNode(writer, node));
  text(writer, GRAPH.name, graph.name);
  for (const tensor of graph.initializers) {
    message(writer, GRAPH.initializer, () => writeTensor(writer, tensor));
  }
  for (const value of graph.inputs) message(writer, GRAPH.input, () => writeValue(writer, value));
  for (const value of graph.outputs) message(writer, GRAPH.output, () => writeValue(writer, value));
}

function writeNode(
  writer: BinaryWriter,
  { name, opType, domain, inputs, outputs, attributes }: OnnxNode,
): void {
  for (const input of inputs) text(writer, NODE.input, input);
  for (const output of outputs) text(writer, NODE.output, output);
  text(writer, NODE.name, name);
  text(writer, NODE.opType, opType);
  if (domain !== '') text(writer, NODE.domain, domain);
  for (const [key, attribute] of Object.entries(attributes)) {
    message(writer, NODE.attribute, () => writeAttribute(writer, key, attribute));
  }
}

function writeAttribute(writer: BinaryWriter, name: string, attribute: OnnxAttribute): void {
  text(writer, ATTRIBUTE.name, name);
  if ('float' in attribute) {
    writer.tag(ATTRIBUTE.float, WireType.Bit32).float(attribute.float);
    integer(writer, ATTRIBUTE.type, ATTRIBUTE_TYPES.float);
  } else if ('int' in attribute) {
    integer(writer, ATTRIBUTE.int, attribute.int);
    integer(writer, ATTRIBUTE.type, ATTRIBUTE_TYPES.int);
  } else if ('ints' in attribute) {
    for (const each of attribute.ints) integer(writer, ATTRIBUTE.ints, each);
    integer(writer, ATTRIBUTE.type, ATTRIBUTE_TYPES.ints);
  } else throw new RangeError(`Attribute ${name} is neither a number nor a list of integers.`);
}

function writeTensor(writer: BinaryWriter, { name, dims, data }: OnnxTensor): void {
  if (!(data instanceof Float32Array)) throw new RangeError(`Tensor ${name} is not float32.`);
  for (const dimension of dims) integer(writer, TENSOR.dims, dimension);
  integer(writer, TENSOR.dataType, ELEMENT_TYPES.float);
  text(writer, TENSOR.name, name);
  writer.tag(TENSOR.rawData, WireType.LengthDelimited).bytes(viewBytes(data));
}

function writeValue(writer: BinaryWriter, { name, elementType, shape }: OnnxValue): void {
  if (elementType === null) throw new RangeError(`Value ${name} is not a tensor of numbers.`);
  text(writer, VALUE_INFO.name, name);
  message(writer, VALUE_INFO.type, () =>
    message(writer, TYPE.tensorType, () => {
      integer(writer, TENSOR_TYPE.elemType, ELEMENT_TYPES[elementType]);
      message(writer, TENSOR_TYPE.shape, () => {
        for (const dimension of shape) {
          message(writer, SHAPE.dim, () => {
            if (typeof dimension === 'string') text(writer, DIMENSION.param, dimension);
            else integer(writer, DIMENSION.value, dimension);
          });
        }
      });
    }),
  );
}

function message(writer: BinaryWriter, field: number, write: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write();
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function integer(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value);
}
