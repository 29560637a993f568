/** Exports: writes a model to a file in another format, verified before. */
import { writeFileSync } from 'node:fs';
import { exportModel } from '../../formats/models/export.ts';
import { isDiskFull, storageFull } from '../../store/blobs/directory.ts';
import { createForward } from '../kernel/compile.ts';
import type { ExportResult, ExportTask } from '../messages/shapes.ts';
import { verifyExport } from './verify-export.ts';

/** @throws AtelierError `internal-error` if the file does not represent the model; `storage-full` */
export function exportVerified({ model, format, input, pixels, path }: ExportTask): ExportResult {
  const file = exportModel(model, format, input);
  const probabilities = new Float32Array((pixels.length / model.layerSizes[0]!) * model.classNames.length);
  if (format === 'onnx') createForward(model)(probabilities.slice(), probabilities, pixels);
  const maxDifference = verifyExport(file, format, model, { pixels, probabilities });
  try {
    writeFileSync(path, file);
  } catch (error) {
    throw isDiskFull(error) ? storageFull('the export', error) : error;
  }
  return { maxDifference };
}
