/**
 * The subset of ONNX messages that is written and read here, with their field numbers.
 * Source: https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto3
 */
import type { Tensor } from '../arrays/tensor.ts';

export const MODEL = {
  irVersion: 1,
  producerName: 2,
  modelVersion: 5,
  graph: 7,
  opsetImport: 8,
  metadataProps: 14,
} as const;
export const OPERATOR_SET = { domain: 1, version: 2 } as const;
export const ENTRY = { key: 1, value: 2 } as const;
export const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 } as const;
export const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 } as const;
export const ATTRIBUTE = { name: 1, float: 2, int: 3, text: 4, tensor: 5, ints: 8, type: 20 } as const;
export const TENSOR = {
  dims: 1,
  dataType: 2,
  floatData: 4,
  int32Data: 5,
  name: 8,
  rawData: 9,
  doubleData: 10,
  dataLocation: 14,
} as const;
/** ValueInfoProto { type: TypeProto { tensorType: { elemType, shape: { dim: { value or param } } } } } */
export const VALUE_INFO = { name: 1, type: 2 } as const;
export const TYPE = { tensorType: 1 } as const;
export const TENSOR_TYPE = { elemType: 1, shape: 2 } as const;
export const SHAPE = { dim: 1 } as const;
export const DIMENSION = { value: 1, param: 2 } as const;

export const ATTRIBUTE_TYPES = { float: 1, int: 2, text: 3, tensor: 4, ints: 7 } as const;
export const ELEMENT_TYPES = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  float16: 10,
  double: 11,
  uint32: 12,
  uint64: 13,
} as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

/** Versions of the format and of the standard operators. */
export const VERSIONS = { irVersion: 8, opset: 17 } as const;
/** GroupNormalization has a scale and a bias of each channel since this version. */
export const GROUP_VERSIONS = { irVersion: 10, opset: 21 } as const;

export interface OnnxModel {
  readonly irVersion: number;
  /** Version of the standard operators; 0 if a file does not import them. */
  readonly opset: number;
  readonly producerName: string;
  readonly modelVersion: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly graph: OnnxGraph;
}

/** Nodes are in topological order. */
export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  /** Empty for standard operators. */
  readonly domain: string;
  /** An empty name stands for an omitted input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export type OnnxAttribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly text: string }
  | { readonly tensor: OnnxTensor }
  | { readonly otherType: number };

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  /** null for elements that are not floating-point numbers. */
  readonly data: Tensor['data'] | null;
}

export interface OnnxValue {
  readonly name: string;
  /** null for values that are not tensors of numbers. */
  readonly elementType: ElementType | null;
  /** A string names a symbolic dimension; empty if the dimension or all of them are unknown. */
  readonly shape: readonly (number | string)[];
}
