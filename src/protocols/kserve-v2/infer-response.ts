/** Responses of the Open Inference Protocol v2: JSON, then binary tensors if requested. */
import type { VersionReference } from '../../domain/models/reference.ts';
import { argmax } from '../../numerics/reference/cross-entropy.ts';
import type { EncodedResponse, Outputs } from '../codec.ts';
import { matrixRows, rankClasses, toArray } from '../probabilities.ts';
import type { InferRequest } from './infer-request.ts';
import type { RequestedOutput } from './requested-outputs.ts';
import { IMAGE_SUFFIX, type V2InferResponse, type V2Output } from './schema.ts';

type Values = readonly (number | string | boolean)[];

/** Decimals of a probability in a classification, written without an exponent. */
const DECIMALS = 9;

export function encodeInferResponse(
  { id, contentType, outputs: requestedOutputs, asImage }: Omit<InferRequest, 'input'>,
  model: VersionReference,
  classNames: readonly string[],
  outputs: Outputs,
): EncodedResponse {
  const tensors: Uint8Array[] = [];
  const response: V2InferResponse = {
    // The same name is in the path, the metadata and the configuration.
    model_name: asImage ? model.name + IMAGE_SUFFIX : model.name,
    model_version: String(model.version),
    ...(id !== undefined && { id }),
    ...(contentType !== undefined && { parameters: { content_type: contentType } }),
    outputs: requestedOutputs.map((requested): V2Output => {
      const { datatype, shape, data } = computeOutput(requested, outputs, classNames);
      const described = { name: requested.name, datatype, shape };
      const codec = requested.contentType !== undefined && { content_type: requested.contentType };
      if (!requested.binary) return { ...described, ...(codec && { parameters: codec }), data: [...data] };
      const bytes = encodeElements(datatype, data);
      tensors.push(bytes);
      return { ...described, parameters: { binary_data_size: bytes.length, ...codec } };
    }),
  };
  const json = JSON.stringify(response);
  if (tensors.length === 0) return { body: json, jsonBytes: null };
  const text = Buffer.from(json);
  return { body: Buffer.concat([text, ...tensors]), jsonBytes: text.length };
}

type OutputType = 'FP32' | 'INT64' | 'BYTES' | 'BOOL';

function computeOutput(
  { name, classification }: RequestedOutput,
  { probabilities, judgements }: Outputs,
  classNames: readonly string[],
): { datatype: OutputType; shape: number[]; data: Values } {
  const classes = classNames.length;
  const rows = matrixRows(probabilities, classes);
  const count = rows.length;
  if (name === 'prediction_set') {
    return { datatype: 'BOOL', shape: [count, classes], data: Array.from(judgements!.sets, Boolean) };
  }
  if (name === 'unsure') {
    return { datatype: 'BOOL', shape: [count], data: judgements!.reasons.map((reason) => reason !== null) };
  }
  if (name === 'label') return { datatype: 'INT64', shape: [count], data: rows.map(argmax) };
  if (classification === 0) {
    return { datatype: 'FP32', shape: [count, classes], data: toArray(probabilities) };
  }
  const k = Math.min(classification, classes);
  const data = rows.flatMap((row) =>
    rankClasses(row, classNames, k).map(
      ({ label, className, probability }) => `${probability.toFixed(DECIMALS)}:${label}:${className}`,
    ),
  );
  return { datatype: 'BYTES', shape: [count, k], data };
}

/** Little-endian; each string is preceded by its length as a uint32. */
function encodeElements(datatype: OutputType, data: Values): Uint8Array {
  if (datatype === 'FP32') return new Uint8Array(Float32Array.from(data as readonly number[]).buffer);
  if (datatype === 'INT64')
    return new Uint8Array(BigInt64Array.from(data as readonly number[], BigInt).buffer);
  if (datatype === 'BOOL') return Uint8Array.from(data, Number);
  const texts = data.flatMap((value) => {
    const text = Buffer.from(String(value));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    return [length, text];
  });
  return Buffer.concat(texts);
}
