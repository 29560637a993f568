/** Verifies an exported file: reads it back and compares it with the model. */
import { AtelierError } from '../../errors.ts';
import type { ExportFormat } from '../../formats/models/export-formats.ts';
import { importModel } from '../../formats/models/import.ts';
import { jsonParameters } from '../../formats/models/json.ts';
import { type PublishedModel, parametersDigest } from '../../formats/models/metadata.ts';
import { evaluateOnnx } from '../../formats/onnx/evaluate.ts';
import { createForward } from '../../numerics/network/forward.ts';

/** Images, n × d0 pixels of 0–255, and the probabilities that the service predicts for them, n × classes. */
export interface ReferencePredictions {
  readonly pixels: Uint8Array;
  readonly probabilities: ArrayLike<number>;
}

const MAX_DIFFERENCE = 1e-5;
/** Allowed ratio of the file's rounding error to the service's, either of which may be small by chance. */
const ROUNDINGS = 4;

/**
 * An ONNX file is evaluated in float64, which takes as many multiply-adds per image as the network itself and is too
 * slow for the main thread. The parameters of other formats are compared by their digest.
 * @returns the largest difference between the probabilities of the file and of the service; 0 for equal parameters
 * @throws AtelierError `internal-error` if the file does not represent the model
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
      `Model ${name}@${version} was not exported: the ${format} file does not represent the model (${defect}).`,
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
  // Logits in the thousands have larger rounding errors in float32. The file must then be about as close to the
  // float64 result as the service is.
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
  throw new Error(`its parameters have the digest ${found} instead of ${digest}`);
}

/** NaN if any value is NaN or the lengths differ. */
function largestDifference(found: Float64Array, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Number.NaN;
  return found.reduce((largest, value, i) => Math.max(largest, Math.abs(value - expected[i]!)), 0);
}
