/** Exports: writes a model to a file in another format, verified before. */
import { writeFileSync } from 'node:fs';
import { exportModel } from '../../formats/models/export.ts';
import type { ExportFormat, OnnxInput } from '../../formats/models/export-formats.ts';
import type { PublishedModel } from '../../formats/models/metadata.ts';
import { isDiskFull, storageFull } from '../../store/blobs/directory.ts';
import { verifyExport } from './verify-export.ts';

/** The parameters are in shared memory. */
export interface ExportTask {
  readonly model: PublishedModel;
  readonly format: ExportFormat;
  readonly input: OnnxInput;
  /** Divisor of the logits of an ONNX graph; null for none. */
  readonly temperature: number | null;
  /** The new file to write. */
  readonly path: string;
}

/** @throws AtelierError `internal-error` if the file does not represent the model; `storage-full` */
export function exportVerified({ model, format, input, temperature, path }: ExportTask): undefined {
  const file = exportModel(model, format, input, temperature);
  verifyExport(file, format, model, input, temperature);
  try {
    writeFileSync(path, file);
  } catch (error) {
    throw isDiskFull(error) ? storageFull('the export', error) : error;
  }
}
