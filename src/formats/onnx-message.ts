/**
 * The subset of ONNX messages that is written and read here, with their field numbers.
 * Source: https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto3
 */
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
export const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5 } as const;
export const ATTRIBUTE = { name: 1, float: 2, int: 3, type: 20 } as const;
export const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9 } as const;
/** ValueInfoProto { type: TypeProto { tensorType: { elemType, shape: { dim: { value or param } } } } } */
export const VALUE_INFO = { name: 1, type: 2 } as const;
export const TYPE = { tensorType: 1 } as const;
export const TENSOR_TYPE = { elemType: 1, shape: 2 } as const;
export const SHAPE = { dim: 1 } as const;
export const DIMENSION = { value: 1, param: 2 } as const;

export const ATTRIBUTE_TYPES = { float: 1, int: 2 } as const;
export const ELEMENT_TYPES = { float: 1, uint8: 2, int64: 7 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

export const IR_VERSION = 8;
export const OPSET = 17;

export interface OnnxModel {
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
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export type OnnxAttribute = { readonly float: number } | { readonly int: number };

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

export interface OnnxValue {
  readonly name: string;
  readonly elementType: ElementType;
  /** A string names a symbolic dimension. */
  readonly shape: readonly (number | string)[];
}
