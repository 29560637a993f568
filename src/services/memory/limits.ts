/** Admission of trainings, uploads and data sets by their estimated memory. */
import type { Catalog } from '../../datasets/catalog.ts';
import { tensorBytes } from '../../datasets/tensor-cache.ts';
import { type DatasetSummary, IMAGE_PIXELS } from '../../domain/datasets/representation.ts';
import type { TrainingRequest } from '../../domain/jobs/request.ts';
import type { LayerSizes } from '../../numerics/network/layers.ts';
import { trainingBytes } from '../../numerics/training/memory.ts';
import { layerSizesFor } from '../training/plan.ts';
import { MEBIBYTE, type MemoryLedger, type Purpose, type Reservation } from './ledger.ts';

type Training = Pick<TrainingRequest, 'dataset' | 'network' | 'training' | 'gradientCheck'>;

/**
 * Estimated bytes that a training job takes, with the tensors of its data set unless these are always in memory.
 * @returns null if the data set does not exist
 */
export function trainingJobBytes(request: Training, catalog: Catalog): number | null {
  const dataset = catalog.summary(request.dataset);
  if (!dataset) return null;
  const layerSizes = layerSizesFor(request.network.hidden, dataset);
  const bytes = trainingBytes(layerSizes, request.training, dataset.splits.train.examples, {
    threads: request.training.threads,
    isChecked: request.gradientCheck,
  });
  return bytes + catalog.loadedBytes(dataset.id);
}

/** @throws AtelierError `impossible-request`, with the estimate */
export function assertTrainingFits(memory: MemoryLedger, request: Training, catalog: Catalog): void {
  const dataset = catalog.summary(request.dataset);
  if (!dataset) return;
  const layerSizes = layerSizesFor(request.network.hidden, dataset);
  const what = `Training a ${layerSizes.join('-')} network`;
  memory.assertJobFits(trainingJobBytes(request, catalog)!, purpose(what));
}

/** Measured: the thread that checks an upload, and the chunks of the body that the main thread has not collected. */
const UPLOAD_BASE_BYTES = 72 * MEBIBYTE;
/** Measured: pixels, the copy of a split test, and the digests of duplicates, per image. */
const UPLOAD_IMAGE_BYTES = 1.5 * (IMAGE_PIXELS + 1) + 200;

/** Largest number of bytes, one per pixel and label, that can ever be checked. */
export function largestUpload({ budget }: MemoryLedger): number {
  const images = Math.floor((budget - UPLOAD_BASE_BYTES) / UPLOAD_IMAGE_BYTES);
  return images * (IMAGE_PIXELS + 1);
}

/**
 * @param extraBytes memory in addition to the pixels
 * @throws AtelierError `overloaded`; `impossible-request` if the extra bytes are never free
 */
export function reserveUpload(memory: MemoryLedger, images: number, extraBytes = 0): Reservation {
  const what = `Checking a data set of ${images.toLocaleString('en')} images`;
  return memory.reserve(UPLOAD_BASE_BYTES + images * UPLOAD_IMAGE_BYTES + extraBytes, { what });
}

/** @throws AtelierError `overloaded`, or `impossible-request` if the data set never fits */
export function admitDataset(memory: MemoryLedger, dataset: DatasetSummary): void {
  // From now on the cache counts the bytes.
  memory.reserve(tensorBytes(dataset), { what: `Loading data set ${dataset.id}` }).release();
}

export const gradientCheckPurpose = (layerSizes: LayerSizes) =>
  purpose(`Checking a ${layerSizes.join('-')} network`);

function purpose(what: string): Purpose {
  return {
    what,
    advice: 'Use fewer or smaller hidden layers.',
    details: [{ pointer: '#/network/hidden', detail: 'requires too much memory' }],
  };
}
