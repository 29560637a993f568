/** Exports versions to file formats of other programs, verified in a worker thread. */
import type { Catalog } from '../datasets/catalog.ts';
import { IMAGE_PIXELS } from '../domain/dataset.ts';
import type { ModelVersion } from '../domain/model.ts';
import { AtelierError } from '../errors.ts';
import type { ExportFormat } from '../formats/export-model.ts';
import type { OnnxInput } from '../formats/onnx-graph.ts';
import { forwardCost } from '../numerics/forward.ts';
import { type LayerSizes, parameterCount } from '../numerics/network.ts';
import type { Pool } from '../workers/pool.ts';
import type { NumericTasks } from '../workers/tasks.ts';
import type { ModelService } from './models.ts';

/** Maximum number of images on which an ONNX file is compared with the service. */
const CHECKED_IMAGES = 256;
/** Limit in float64 multiply-adds: one or two seconds. */
const MAX_CHECK_COST = 5e8;
/** Each parameter takes about 20 characters, and as many bytes again while the file is written. */
export const MAX_JSON_PARAMETERS = 5_000_000;

export interface ModelFile {
  readonly bytes: Buffer;
  /** Largest difference in probabilities between file and service; 0 if the file contains the exact parameters. */
  readonly maxDifference: number;
  /** Number of images compared; 0 if the parameters were compared instead. */
  readonly checkedImages: number;
}

export interface ExportService {
  /**
   * @param input type of the input of an ONNX graph; other formats ignore it
   * @param signal aborts the work when the client disconnects
   * @throws AtelierError `model-not-found`; `impossible-request` if the network is too large for the format;
   *   `internal-error` if the file failed its verification
   */
  export(
    version: ModelVersion,
    format: ExportFormat,
    input: OnnxInput,
    signal: AbortSignal,
  ): Promise<ModelFile>;
}

export function createExportService(
  catalog: Catalog,
  models: ModelService,
  numeric: Pool<NumericTasks>,
): ExportService {
  /** Test images of the version's data set, or of a built-in one if it was deleted or is unknown. */
  async function verificationImages({ lineage, layerSizes }: ModelVersion): Promise<Uint8Array> {
    const own = lineage.dataset === null ? undefined : await catalog.get(lineage.dataset.id);
    const { test } = own ?? (await catalog.get(catalog.list().at(-1)!.id))!;
    const affordable = Math.max(1, Math.floor(MAX_CHECK_COST / forwardCost(layerSizes)));
    const count = Math.min(CHECKED_IMAGES, affordable, test.labels.length);
    return test.pixels.subarray(0, count * IMAGE_PIXELS);
  }

  return {
    async export(version, format, input, signal) {
      const { name, version: number, classNames, digest } = version;
      if (format === 'json') assertFitsJson(version.layerSizes);
      const { layerSizes, activation, standardization, parameters } = await models.load(name, number);
      const model = {
        name,
        version: number,
        layerSizes,
        activation,
        standardization,
        parameters,
        classNames,
        digest,
      };
      const pixels = format === 'onnx' ? await verificationImages(version) : new Uint8Array(0);
      const { file, maxDifference } = await numeric.run(
        'exportFile',
        { model, format, input, pixels },
        signal,
      );
      return {
        bytes: Buffer.from(file.buffer, file.byteOffset, file.byteLength),
        maxDifference,
        checkedImages: pixels.length / IMAGE_PIXELS,
      };
    },
  };
}

function assertFitsJson(layerSizes: LayerSizes): void {
  const count = parameterCount(layerSizes);
  if (count <= MAX_JSON_PARAMETERS) return;
  const inDigits = (n: number) => n.toLocaleString('en');
  throw new AtelierError(
    'impossible-request',
    `A ${layerSizes.join('-')} network has ${inDigits(count)} parameters; the limit for JSON is ` +
      `${inDigits(MAX_JSON_PARAMETERS)}. Use format=safetensors, which contains the same parameters.`,
    { details: [{ parameter: 'format', detail: 'must not be json for such a large network' }] },
  );
}
