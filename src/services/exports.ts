/** Hands out versions as files that others read; written and checked in a thread. */
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

/** An ONNX file has to answer so many as the service does. */
const CHECKED_IMAGES = 256;
/** Multiply-adds in float64; a second or two. */
const MAX_CHECK_COST = 5e8;
/** Twenty characters each, and as many bytes again while they are written. */
export const MAX_JSON_PARAMETERS = 5_000_000;

export interface ModelFile {
  readonly bytes: Buffer;
  /** Between the probabilities of the file and the service; 0 where the file holds the very parameters. */
  readonly maxDifference: number;
  /** On which they were compared; 0 where the parameters were. */
  readonly checkedImages: number;
}

export interface ExportService {
  /**
   * @param input of ONNX alone
   * @param signal ends the work when the client hangs up
   * @throws AtelierError `model-not-found`; `impossible-request` where the network is too large for the format;
   *   `internal-error` where the file failed its check
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
  /** Of the version's data set, where that is still there; any other's will do. */
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
    `A ${layerSizes.join('-')} network has ${inDigits(count)} parameters; JSON is written of at most ` +
      `${inDigits(MAX_JSON_PARAMETERS)}. Ask for format=safetensors, which holds the same.`,
    { details: [{ parameter: 'format', detail: 'must be another than json for so large a network' }] },
  );
}
