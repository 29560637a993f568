/** Exports versions to file formats of other programs, verified in a worker thread. */
import { architectureOf } from '../../domain/models/architecture.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import { AtelierError } from '../../errors.ts';
import type { ExportFormat, OnnxInput } from '../../formats/models/export-formats.ts';
import { type Architecture, architectureText, parameterCount } from '../../numerics/network/architecture.ts';
import type { TemporaryFiles } from '../../store/persistent-state.ts';
import type { NumericPool } from '../../workers/pools.ts';
import { createSharedFiles } from '../operations/shared-files.ts';
import type { ModelService } from './catalog.ts';

/** Each parameter takes about 20 characters, and as many bytes again while the file is written. */
export const MAX_JSON_PARAMETERS = 5_000_000;

/** If clients are reading exports of more than this size, no further one is written. */
export const MAX_EXPORTED_BYTES = 2 ** 30;

export type ExportService = ReturnType<typeof createExportService>;

export function createExportService(
  models: ModelService,
  numeric: NumericPool,
  temporaryFiles: TemporaryFiles,
) {
  const openShared = createSharedFiles(temporaryFiles.newFile, MAX_EXPORTED_BYTES);

  return {
    /**
     * Exports a version to a file on the disk, so that a slow reader takes no memory. Concurrent requests share it.
     * @param input type of the input of an ONNX graph; other formats ignore it
     * @param temperature divisor of the logits of an ONNX graph; null for none
     * @param signal aborts the work when the client disconnects
     * @throws AtelierError `model-not-found`; `impossible-request` if the network is too large for the format;
     *   `internal-error` if the file failed its verification; `storage-full`; `overloaded`
     */
    async export(
      version: ModelVersion,
      format: ExportFormat,
      input: OnnxInput,
      temperature: number | null,
      signal: AbortSignal,
    ) {
      const { name, version: number, classNames, preprocessing, digest } = version;
      if (format === 'json') assertFitsJson(architectureOf(version));
      // A deleted name may be used again, but not its version numbers.
      const key = JSON.stringify([name, number, format, input, temperature]);
      return openShared(key, signal, async (path, abortSignal) => {
        const loaded = await models.load(name, number);
        const { architecture, activation, standardization, parameters } = loaded;
        const network = { architecture, activation, standardization, parameters };
        const model = { name, version: number, ...network, classNames, preprocessing, digest };
        await numeric.run('exportFile', { model, format, input, temperature, path }, abortSignal);
      });
    },
  };
}

function assertFitsJson(architecture: Architecture): void {
  const count = parameterCount(architecture);
  if (count <= MAX_JSON_PARAMETERS) return;
  const inDigits = (n: number) => n.toLocaleString('en');
  throw new AtelierError(
    'impossible-request',
    `A ${architectureText(architecture)} network has ${inDigits(count)} parameters; the limit for JSON is ` +
      `${inDigits(MAX_JSON_PARAMETERS)}. Use format=safetensors: it contains the same parameters.`,
    { details: [{ parameter: 'format', detail: 'must not be json for such a large network' }] },
  );
}
