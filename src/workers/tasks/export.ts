/** Exports: writes a model as a file and verifies the file before it is sent. */
import { exportModel } from '../../formats/export-model.ts';
import { createForward } from '../kernel.ts';
import type { ExportResult, ExportTask } from '../messages.ts';
import { verifyExport } from './verify-export.ts';

/** @throws AtelierError `internal-error` if the file does not represent the model */
export function exportVerified({ model, format, input, pixels }: ExportTask): ExportResult {
  const file = exportModel(model, format, input);
  const probabilities = new Float32Array((pixels.length / model.layerSizes[0]!) * model.classNames.length);
  if (format === 'onnx') createForward(model)(probabilities.slice(), probabilities, pixels);
  return { file, maxDifference: verifyExport(file, format, model, { pixels, probabilities }) };
}
