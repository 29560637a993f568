/**
 * Requests of the Open Inference Protocol v2: JSON, JSON followed by binary tensors, or one raw tensor.
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
import { AtelierError } from '../../errors.ts';
import { readJson, rejectAt } from '../../formats/json/limits.ts';
import { countElements, type NestedTensor, readNested } from '../../formats/json/nested-numbers.ts';
import { quote, showShape } from '../../formats/models/file-error.ts';
import type { ImageShape } from '../../numerics/network/image-shape.ts';
import { DATATYPES, type Datatype, decodeElements, elementBytes, isFloating } from './datatypes.ts';
import { inputTensor } from './model-description.ts';
import { type RequestedOutput, rawOutputs, readRequestedOutputs } from './requested-outputs.ts';
import { INPUT, inferRequestSchema, type V2Input } from './schema.ts';

/** The body as received. */
export interface InferBody {
  readonly bytes: Uint8Array;
  /** Length of the JSON at the start of the body: null if the whole body is JSON, 0 for a raw tensor. */
  readonly jsonBytes: number | null;
  /** Whether the model is described as an image classifier: a raw tensor is UINT8, the only output the probabilities. */
  readonly asImage: boolean;
}

export interface InferRequest {
  readonly id: string | undefined;
  /** MLServer's codec of the whole request. */
  readonly contentType: string | undefined;
  readonly input: NestedTensor & { readonly datatype: Datatype };
  readonly outputs: readonly RequestedOutput[];
  /** null without sets of classes. */
  readonly coverage: number | null;
  readonly asImage: boolean;
}

/** @throws AtelierError `malformed-body`, `invalid-request` */
export function decodeInferRequest(
  { bytes, jsonBytes, asImage }: InferBody,
  inputShape: ImageShape,
): InferRequest {
  if (jsonBytes === 0) return decodeRaw(bytes, inputShape, asImage);
  if (jsonBytes !== null && jsonBytes > bytes.length) {
    malformed(`Inference-Header-Content-Length is ${jsonBytes}, but the body has ${bytes.length} bytes`);
  }
  const length = jsonBytes ?? bytes.length;
  const request = readJson(bytes.subarray(0, length), inferRequestSchema);
  const { inputs, parameters } = request;
  const [input] = inputs;
  // A single input may have any name: MLServer's NumpyRequestCodec calls it input-1.
  if (inputs.length !== 1) {
    const names = inputs.map(({ name }) => quote(name)).slice(0, 8);
    rejectAt('#/inputs', `are ${names.join(', ') || 'none'}; the model has one input, "${INPUT}"`);
  }
  return {
    id: request.id ?? undefined,
    contentType: parameters?.content_type ?? undefined,
    input: decodeInput(input!, bytes.subarray(length), jsonBytes !== null),
    outputs: readRequestedOutputs(request, asImage),
    coverage: parameters?.coverage ?? null,
    asImage,
  };
}

/** One tensor as in the metadata; its length determines the number of images. */
function decodeRaw(bytes: Uint8Array, inputShape: ImageShape, asImage: boolean): InferRequest {
  const { datatype, dims } = inputTensor({ inputShape, asImage });
  const values = countElements(dims);
  const imageBytes = values * elementBytes(datatype);
  const count = bytes.length / imageBytes;
  if (count < 1 || !Number.isInteger(count)) {
    malformed(
      `with Inference-Header-Content-Length: 0 it must be n × ${values} ${datatype}, ${imageBytes.toLocaleString('en')} bytes per image, but it has ${bytes.length} bytes`,
    );
  }
  return {
    id: undefined,
    contentType: undefined,
    input: { datatype, shape: [count, ...dims], values: decodeElements(datatype, bytes) },
    outputs: rawOutputs(asImage),
    coverage: null,
    asImage,
  };
}

/**
 * @param binary the bytes after the JSON
 * @param hasHeader whether the request has Inference-Header-Content-Length
 */
function decodeInput(
  { datatype, shape, parameters, data }: V2Input,
  binary: Uint8Array,
  hasHeader: boolean,
): InferRequest['input'] {
  if (!isDatatype(datatype)) {
    return rejectAt(
      '#/inputs/0/datatype',
      `is ${quote(datatype)}; allowed for ${INPUT}: ${DATATYPES.join(', ')}`,
    );
  }
  const size = parameters?.binary_data_size;
  if (size === undefined) {
    if (binary.length > 0)
      malformed(`${binary.length} bytes follow the JSON, but no input has a binary_data_size`);
    return { datatype, shape, values: decodeJsonData(datatype, shape, data) };
  }
  if (data !== undefined && data !== null) {
    rejectAt('#/inputs/0', 'has data and a binary_data_size; send one of them');
  }
  if (!hasHeader) malformed('binary tensors need the header Inference-Header-Content-Length');
  const needed = countElements(shape) * elementBytes(datatype);
  if (size !== needed || size !== binary.length) {
    malformed(
      `binary_data_size is ${size}; ${datatype} of shape ${showShape(shape)} takes ${needed} bytes, and ${binary.length} follow the JSON`,
    );
  }
  return { datatype, shape, values: decodeElements(datatype, binary) };
}

const isDatatype = (name: string): name is Datatype => (DATATYPES as readonly string[]).includes(name);

function decodeJsonData(datatype: Datatype, shape: readonly number[], data: unknown): NestedTensor['values'] {
  const pointer = '#/inputs/0/data';
  if (datatype === 'FP16') rejectAt(pointer, 'cannot hold FP16; send it as a binary tensor');
  const { values } = readNested(data, pointer);
  const needed = countElements(shape);
  if (values.length !== needed) {
    rejectAt(pointer, `has ${values.length} elements; shape ${showShape(shape)} has ${needed}`);
  }
  if (isFloating(datatype)) return values;
  for (let i = 0; i < values.length; i++) {
    // Above 2^53 − 1 the parsed number may differ from the one in the body.
    if (Number.isSafeInteger(values[i])) continue;
    rejectAt(
      pointer,
      `holds ${values[i]} at element ${i}; ${datatype} in JSON must be a whole number below 2^53`,
    );
  }
  return values;
}

function malformed(defect: string): never {
  throw new AtelierError('malformed-body', `The body is malformed: ${defect}.`);
}
