/** The outputs of an inference request of the Open Inference Protocol v2: which ones, and in which form. */
import { rejectAt } from '../../formats/json/limits.ts';
import { quote } from '../../formats/models/file-error.ts';
import { GUARANTEED_OUTPUTS, INPUT, OUTPUTS, type OutputName, type V2InferRequest } from './schema.ts';

export interface RequestedOutput {
  readonly name: OutputName;
  readonly binary: boolean;
  /** Number of most probable classes to return instead of one probability per class; 0 for the probabilities. */
  readonly classification: number;
  /** MLServer's codec. Its client finds it again in the response. */
  readonly contentType: string | undefined;
}

/** Content type of NumPy arrays in MLServer. */
const NUMPY = 'np';

/**
 * @param single whether the model has the probabilities as its only output
 * @throws AtelierError `invalid-request`
 */
export function readRequestedOutputs(request: V2InferRequest, single: boolean): RequestedOutput[] {
  const { outputs, parameters } = request;
  const allBinary = parameters?.binary_data_output ?? false;
  const hasCoverage = parameters?.coverage !== undefined;
  if (!outputs?.length) {
    const isArray = isSingleArray(request);
    const contentType = isArray ? NUMPY : undefined;
    return listOutputs(single || isArray, hasCoverage).map((name) => ({
      name,
      binary: allBinary,
      classification: 0,
      contentType,
    }));
  }
  return outputs.map(({ name, parameters: own }, n) => {
    const pointer = `#/outputs/${n}`;
    if (!isOutput(name)) {
      return rejectAt(
        pointer,
        `is ${quote(name)}; the model's outputs are ${OUTPUTS.join(' and ')} and, with the parameter "coverage", ${GUARANTEED_OUTPUTS.join(' and ')}`,
      );
    }
    if (isGuaranteed(name) && !hasCoverage) {
      rejectAt(pointer, `is ${quote(name)}, which needs the parameter "coverage" of the request`);
    }
    if (outputs.findIndex((other) => other.name === name) < n) {
      rejectAt(pointer, `requests ${name} a second time`);
    }
    const classification = own?.classification ?? 0;
    if (classification > 0 && name !== 'probabilities') {
      rejectAt(pointer, `requests a classification of ${name}; request it for probabilities`);
    }
    const contentType = own?.content_type ?? undefined;
    return { name, binary: own?.binary_data ?? allBinary, classification, contentType };
  });
}

/** All outputs in binary, for a request without JSON. */
export function rawOutputs(single: boolean): RequestedOutput[] {
  return listOutputs(single).map((name) => ({
    name,
    binary: true,
    classification: 0,
    contentType: undefined,
  }));
}

function listOutputs(single: boolean, hasCoverage = false): readonly OutputName[] {
  if (single) return ['probabilities'];
  return hasCoverage ? [...OUTPUTS, ...GUARANTEED_OUTPUTS] : OUTPUTS;
}

const isGuaranteed = (name: string) => (GUARANTEED_OUTPUTS as readonly string[]).includes(name);
const isOutput = (name: string): name is OutputName =>
  (OUTPUTS as readonly string[]).includes(name) || isGuaranteed(name);

/**
 * MLServer's NumpyRequestCodec sends one array, with a name of its own, and can decode a response of one output only.
 * https://github.com/SeldonIO/MLServer/blob/master/mlserver/codecs/utils.py
 */
function isSingleArray({ inputs, parameters }: V2InferRequest): boolean {
  if (parameters?.content_type === NUMPY) return true;
  const [input] = inputs;
  return input !== undefined && input.name !== INPUT && input.parameters?.content_type === NUMPY;
}
