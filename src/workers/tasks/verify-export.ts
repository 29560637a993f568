/** Whether an exported file says what the model is, found by reading the file again. */
import { AtelierError } from '../../errors.ts';
import type { ExportFormat } from '../../formats/export-model.ts';
import { importModel } from '../../formats/import-model.ts';
import { jsonParameters } from '../../formats/model-json.ts';
import { type PublishedModel, parametersDigest } from '../../formats/model-metadata.ts';
import { evaluateOnnx } from '../../formats/onnx-evaluate.ts';
import { createForward } from '../../numerics/forward.ts';

/** Images of n × d0 pixels, 0–255, and the n × classes probabilities that the service answers to them. */
export interface ReferencePredictions {
  readonly pixels: Uint8Array;
  readonly probabilities: ArrayLike<number>;
}

const MAX_DIFFERENCE = 1e-5;
/** Two roundings of the same numbers, of which one may have luck. */
const ROUNDINGS = 4;

/**
 * Returns by how much the file's probabilities differ at most from the service's; 0 where a file holds the very
 * parameters. ONNX takes as many multiply-adds as the network in float64, an image: an export of the largest networks
 * is nothing for the main thread.
 * @throws AtelierError `internal-error` where the file is not the model
 */
export function verifyExport(
  file: Uint8Array,
  format: ExportFormat,
  model: PublishedModel,
  reference: ReferencePredictions,
): number {
  try {
    return format === 'onnx'
      ? comparePredictions(file, model, reference)
      : compareDigests(file, format, model);
  } catch (cause) {
    const { name, version } = model;
    const defect = cause instanceof Error ? cause.message : String(cause);
    throw new AtelierError(
      'internal-error',
      `Model ${name}@${version} was not exported: the ${format} file is not the model, ${defect}`,
      { cause },
    );
  }
}

function comparePredictions(
  file: Uint8Array,
  model: PublishedModel,
  { pixels, probabilities }: ReferencePredictions,
): number {
  const found = evaluateOnnx(file, pixels).probabilities;
  const difference = largestDifference(found, probabilities);
  if (difference <= MAX_DIFFERENCE) return difference;
  // Logits in the thousands have errors of that size in float32. The file then has to be about as near to float64 as the service.
  const exact = new Float64Array(found.length);
  createForward(model, model.parameters)(exact.slice(), exact, pixels);
  if (largestDifference(exact, found) <= ROUNDINGS * largestDifference(exact, probabilities))
    return difference;
  throw new Error(`its probabilities differ by ${difference}, more than ${MAX_DIFFERENCE}`);
}

function compareDigests(file: Uint8Array, format: ExportFormat, { layerSizes, digest }: PublishedModel): 0 {
  const parameters =
    format === 'json'
      ? jsonParameters(file)
      : importModel(file, { hidden: layerSizes.slice(1, -1) }).parameters;
  const found = parametersDigest(parameters);
  if (found === digest) return 0;
  throw new Error(`its parameters have digest ${found}, and not ${digest}`);
}

/** NaN where one of them is, or where there are not as many. */
function largestDifference(found: Float64Array, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Number.NaN;
  return found.reduce((largest, value, i) => Math.max(largest, Math.abs(value - expected[i]!)), 0);
}
