/** Admission of trainings, uploads and data sets by their estimated memory. */

import type { Catalog } from '../../datasets/catalog.ts';
import { tensorBytes } from '../../datasets/tensor-cache.ts';
import type { MeasuredUpload } from '../../datasets/upload/form.ts';
import type { DatasetSummary } from '../../domain/datasets/representation.ts';
import type { TrainingRequest } from '../../domain/jobs/request.ts';
import { type Architecture, architectureText } from '../../numerics/network/architecture.ts';
import { exampleBytes } from '../../numerics/network/image-shape.ts';
import { trainingBytes } from '../../numerics/training/memory.ts';
import { architectureFor } from '../training/plan.ts';
import { MEBIBYTE, type MemoryLedger, type Purpose, type Reservation } from './ledger.ts';

type Training = Pick<TrainingRequest, 'dataset' | 'network' | 'training' | 'gradientCheck'>;

/**
 * Estimated bytes that a training job takes, with the tensors of its data set.
 * @returns null if the data set does not exist
 */
export function trainingJobBytes(request: Training, catalog: Catalog): number | null {
  const dataset = catalog.summary(request.dataset);
  if (!dataset) return null;
  const architecture = architectureFor(request.network, dataset);
  const { train, validation } = dataset.splits;
  const images = train.examples + (validation?.examples ?? 0);
  const bytes = trainingBytes(architecture, request.training, images, {
    threads: request.training.threads,
    isChecked: request.gradientCheck,
  });
  return bytes + catalog.loadedBytes(dataset.id);
}

/** @throws AtelierError `impossible-request`, with the estimate */
export function assertTrainingFits(memory: MemoryLedger, request: Training, catalog: Catalog): void {
  const dataset = catalog.summary(request.dataset);
  if (!dataset) return;
  const architecture = architectureFor(request.network, dataset);
  memory.assertJobFits(trainingJobBytes(request, catalog)!, purpose('Training', architecture));
}

/** Measured: the thread that checks an upload, and the chunks of the body that the main thread has not collected. */
const UPLOAD_BASE_BYTES = 72 * MEBIBYTE;
/** Measured: pixels, and the copy of a split test, per byte. */
const UPLOAD_FACTOR = 1.5;
/** Measured: the digests of duplicates, per image. */
const UPLOAD_IMAGE_BYTES = 200;

/** Largest number of bytes, one per value and label, that can ever be checked: of the smallest images, fewer. */
export function largestUpload({ budget }: MemoryLedger): number {
  return Math.floor((budget - UPLOAD_BASE_BYTES) / UPLOAD_FACTOR);
}

/**
 * @param upload its extra bytes are memory in addition to the pixels; without a shape, only these are reserved
 * @throws AtelierError `overloaded`; `impossible-request` if they are never free
 */
export function reserveUpload(
  memory: MemoryLedger,
  { images, chosen, extraBytes }: MeasuredUpload,
): Reservation {
  const what = `Checking a data set of ${images.toLocaleString('en')} images`;
  const perImage = chosen && UPLOAD_FACTOR * exampleBytes(chosen.imageShape) + UPLOAD_IMAGE_BYTES;
  return memory.reserve(UPLOAD_BASE_BYTES + images * (perImage ?? 0) + extraBytes, { what });
}

/** @throws AtelierError `overloaded`, or `impossible-request` if the data set never fits */
export function admitDataset(memory: MemoryLedger, dataset: DatasetSummary): void {
  // From now on the cache counts the bytes.
  memory.reserve(tensorBytes(dataset), { what: `Loading data set ${dataset.id}` }).release();
}

export const gradientCheckPurpose = (architecture: Architecture) => purpose('Checking', architecture);

function purpose(activity: 'Training' | 'Checking', architecture: Architecture): Purpose {
  return {
    what: `${activity} a ${architectureText(architecture)} network`,
    advice: `Use fewer or smaller layers${activity === 'Training' ? ', or smaller batches' : ''}.`,
    details: [{ pointer: layersPointer(architecture), detail: 'requires too much memory' }],
  };
}

/** Where a request has the layers that take most of the memory and time. */
export const layersPointer = ({ convolutions }: Pick<Architecture, 'convolutions'>): string =>
  convolutions.length > 0 ? '#/network' : '#/network/hidden';
