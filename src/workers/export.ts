/** Files of models, checked before they leave. */
import { checkExport } from '../formats/check-export.ts';
import { exportModel } from '../formats/export-model.ts';
import { forwardOf } from './kernel.ts';
import type { ExportResult, ExportTask } from './messages.ts';

/** @throws AtelierError `internal-error` where the file is not the model */
export function exportChecked({ model, format, input, pixels }: ExportTask): ExportResult {
  const file = exportModel(model, format, input);
  const probabilities = new Float32Array((pixels.length / model.layerSizes[0]!) * model.classNames.length);
  if (format === 'onnx') forwardOf(model)(probabilities.slice(), probabilities, pixels);
  return { file, maxDifference: checkExport(file, format, model, { pixels, probabilities }) };
}
