/** Pictures of a lab report that are embedded: the weights of the first layer, and images of the data set. */
import type { Catalog } from '../../datasets/catalog.ts';
import type { ReportPictures } from '../../formats/documents/lab-report/input.ts';
import { toPng } from '../../images/encoded.ts';
import { valueCount } from '../../numerics/network/image-shape.ts';
import { createCoalescingCache } from '../inspection/coalesce.ts';
import type { InterpretabilityService } from '../inspection/interpretability.ts';
import type { CollectedReport } from './collect.ts';

/** Number of cached drawings, of at most 200 kilobytes each. */
const MAX_CACHED = 32;

export type DrawReportPictures = (collected: CollectedReport, signal: AbortSignal) => Promise<ReportPictures>;

/**
 * @returns a function that throws AtelierError `overloaded`, `dataset-damaged`, and `model-not-found` if the version has
 *   just been deleted
 */
export function createReportPictures(
  catalog: Catalog,
  interpretability: Pick<InterpretabilityService, 'drawWeights'>,
): DrawReportPictures {
  const coalesceWeights = createCoalescingCache<Buffer>(MAX_CACHED);

  async function drawImages(
    datasetId: string | undefined,
    split: 'train' | 'test',
    indices: readonly number[],
    signal: AbortSignal,
  ): Promise<Buffer[]> {
    const dataset = datasetId === undefined ? undefined : await catalog.get(datasetId);
    if (!dataset) return [];
    const { pixels } = dataset[split];
    const values = valueCount(dataset.imageShape);
    // Copies, because sharp does not support views of shared memory.
    const copy = (index: number) => new Uint8Array(pixels.subarray(index * values, (index + 1) * values));
    return Promise.all(indices.map((index) => toPng(copy(index), dataset.imageShape, signal)));
  }

  return async ({ report: { dataset, examples, evaluation }, drawn }, signal) => {
    const listIndices = (images: readonly { readonly index: number }[]) => images.map(({ index }) => index);
    const [weights, exampleImages, mistakes] = await Promise.all([
      drawn &&
        coalesceWeights(
          JSON.stringify([drawn.digest, drawn.inputShape, drawn.layerSizes]),
          signal,
          (abortSignal) => interpretability.drawWeights(drawn, { layer: 1 }, abortSignal),
        ),
      drawImages(dataset?.id, 'train', listIndices(examples), signal),
      drawImages(evaluation?.dataset, 'test', listIndices(evaluation?.mistakes ?? []), signal),
    ]);
    return { weights, examples: exampleImages, mistakes };
  };
}
