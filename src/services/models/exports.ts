/** Exports versions to file formats of other programs, verified in a worker thread. */
import type { Catalog } from '../../datasets/catalog.ts';
import { IMAGE_PIXELS } from '../../domain/datasets/representation.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import { AtelierError } from '../../errors.ts';
import type { ExportFormat, OnnxInput } from '../../formats/models/export-formats.ts';
import { forwardCost } from '../../numerics/network/forward.ts';
import { type LayerSizes, parameterCount } from '../../numerics/network/layers.ts';
import type { TemporaryFiles } from '../../store/persistent-state.ts';
import type { NumericTasks } from '../../workers/messages/by-pool.ts';
import type { Pool } from '../../workers/threads/pool.ts';
import { createSharedFiles, type SharedFile } from '../operations/shared-files.ts';
import type { ModelService } from './catalog.ts';

/** Maximum number of images on which an ONNX file is compared with the service. */
const CHECKED_IMAGES = 256;
/** Limit in float64 multiply-adds: one or two seconds. */
const MAX_CHECK_COST = 5e8;
/** Each parameter takes about 20 characters, and as many bytes again while the file is written. */
export const MAX_JSON_PARAMETERS = 5_000_000;

/** Size of the exports that clients are reading, above which no further one is written. */
export const MAX_EXPORTED_BYTES = 2 ** 30;

interface Verification {
  /** Largest difference in probabilities between file and service; 0 if the file contains the exact parameters. */
  readonly maxDifference: number;
  /** Number of images compared; 0 if the parameters were compared instead. */
  readonly checkedImages: number;
}
export type ModelFile = SharedFile<Verification>;

export interface ExportService {
  /**
   * Exports a version to a file on the disk, so that a slow reader takes no memory. Concurrent requests share it.
   * @param input type of the input of an ONNX graph; other formats ignore it
   * @param signal aborts the work when the client disconnects
   * @throws AtelierError `model-not-found`; `impossible-request` if the network is too large for the format;
   *   `internal-error` if the file failed its verification; `storage-full`; `overloaded`
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
  temporaryFiles: TemporaryFiles,
): ExportService {
  const openShared = createSharedFiles<Verification>(temporaryFiles.newFile, MAX_EXPORTED_BYTES);

  /** Test images of the version's data set, of another one if it was deleted or is unknown, or noise if there is none. */
  async function verificationImages({ lineage, layerSizes }: ModelVersion): Promise<Uint8Array> {
    const own = lineage.dataset === null ? undefined : await catalog.get(lineage.dataset.id);
    const affordable = Math.max(1, Math.floor(MAX_CHECK_COST / forwardCost(layerSizes)));
    const other = catalog.list().at(-1);
    const dataset = own ?? (other && (await catalog.get(other.id)));
    if (!dataset) return noise(Math.min(CHECKED_IMAGES, affordable));
    const { test } = dataset;
    const count = Math.min(CHECKED_IMAGES, affordable, test.labels.length);
    return test.pixels.subarray(0, count * IMAGE_PIXELS);
  }

  return {
    async export(version, format, input, signal) {
      const { name, version: number, classNames, preprocessing, digest } = version;
      if (format === 'json') assertFitsJson(version.layerSizes);
      // A deleted name may be used again, but not its version numbers.
      const key = JSON.stringify([name, number, format, input]);
      return openShared(key, signal, async (path, abortSignal) => {
        const { layerSizes, activation, standardization, parameters } = await models.load(name, number);
        const network = { layerSizes, activation, standardization, parameters };
        const model = { name, version: number, ...network, classNames, preprocessing, digest };
        const pixels = format === 'onnx' ? await verificationImages(version) : new Uint8Array(0);
        const task = { model, format, input, pixels, path };
        const { maxDifference } = await numeric.run('exportFile', task, abortSignal);
        return { maxDifference, checkedImages: pixels.length / IMAGE_PIXELS };
      });
    },
  };
}

/** Pixels of uniform noise: multiples of Knuth's constant (The Art of Computer Programming, 6.4), the highest byte. */
function noise(images: number): Uint8Array {
  return Uint8Array.from({ length: images * IMAGE_PIXELS }, (_, i) => Math.imul(i, 0x9e37_79b1) >>> 24);
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
