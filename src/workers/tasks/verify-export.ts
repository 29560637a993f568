/** Verifies an exported file: imports it and compares it with the model. */
import { AtelierError } from '../../errors.ts';
import type { ExportFormat, OnnxInput } from '../../formats/models/export-formats.ts';
import { importModel } from '../../formats/models/import.ts';
import { jsonParameters } from '../../formats/models/json.ts';
import { type PublishedModel, parametersDigest } from '../../formats/models/metadata.ts';
import { verifyOnnxGraph } from '../../formats/onnx/verify.ts';
import { type Block, blocks } from '../../numerics/network/architecture.ts';

/**
 * @param input of an ONNX graph; other formats ignore it
 * @param temperature divisor of the logits of an ONNX graph; null for none
 * @throws AtelierError `internal-error` if the file does not represent the model
 */
export function verifyExport(
  file: Uint8Array,
  format: ExportFormat,
  model: PublishedModel,
  input: OnnxInput,
  temperature: number | null = null,
): void {
  try {
    const parameters = format === 'json' ? jsonParameters(file) : importParameters(file, model);
    const found = parametersDigest(parameters);
    const expected = temperature === null ? model.digest : parametersDigest(divideLogits(model, temperature));
    if (found !== expected) throw new Error(`its parameters have the digest ${found} instead of ${expected}`);
    if (format === 'onnx') verifyOnnxGraph(file, model, input, temperature);
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

/** The parameters that an import reads: the division is part of the last layer, in float32. */
function divideLogits({ architecture, parameters }: PublishedModel, temperature: number): Float32Array {
  const [{ start }] = blocks(architecture).slice(-2) as [Block, Block];
  const factor = 1 / Math.fround(temperature);
  return parameters.map((value, i) => (i < start ? value : value * factor));
}

/** A file whose graph or metadata contradicts the model is rejected. */
function importParameters(
  file: Uint8Array,
  { architecture, activation, classNames, standardization, preprocessing }: PublishedModel,
): Float32Array {
  const { inputShape, convolutions, norm, hidden } = architecture;
  return importModel(file, {
    inputShape,
    convolutions,
    norm,
    hidden,
    activation,
    classNames,
    standardization,
    preprocessing: preprocessing ?? undefined,
  }).parameters;
}
