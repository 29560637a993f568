/** Admission of trainings and gradient checks by their estimated memory. */
import { tensorBytes } from '../datasets/tensor-cache.ts';
import { type DatasetSummary, IMAGE_PIXELS } from '../domain/dataset.ts';
import type { TrainingRequest } from '../domain/training-job.ts';
import type { LayerSizes } from '../numerics/network.ts';
import { gradientCheckBytes, trainingBytes } from '../numerics/training-memory.ts';
import { MEBIBYTE, type MemoryLedger, type Purpose, type Reservation } from './memory-ledger.ts';

export interface TrainingSizes {
  readonly layerSizes: LayerSizes;
  /** Bytes of the tensors that the job would have to load. */
  readonly datasetBytes: number;
}

/** Estimated bytes that a training job takes. */
export function trainingJobBytes(
  { training, gradientCheck }: Pick<TrainingRequest, 'training' | 'gradientCheck'>,
  { layerSizes, datasetBytes }: TrainingSizes,
): number {
  const { batchSize, threads, optimizer, earlyStopping } = training;
  const keepsBest = earlyStopping?.restoreBest ?? false;
  const size = { layerSizes, batchSize, threads, optimizer, keepsBest, isChecked: gradientCheck };
  return trainingBytes(size) + datasetBytes;
}

/** @throws AtelierError `impossible-request`, with the estimate */
export function assertTrainingFits(
  memory: MemoryLedger,
  request: Pick<TrainingRequest, 'training' | 'gradientCheck'>,
  sizes: TrainingSizes,
): void {
  memory.assertJobFits(trainingJobBytes(request, sizes), purpose('Training', sizes.layerSizes));
}

/** @throws AtelierError `impossible-request`, with the estimate, or `overloaded` */
export function reserveGradientCheck(
  memory: MemoryLedger,
  layerSizes: LayerSizes,
  examples: number,
): Reservation {
  return memory.reserve(gradientCheckBytes(layerSizes, examples), purpose('Checking', layerSizes));
}

/** Measured: the thread that checks an upload. */
const UPLOAD_BASE_BYTES = 48 * MEBIBYTE;
/** Measured: pixels, the copy of a split test, and the digests of duplicates, per image. */
const UPLOAD_IMAGE_BYTES = 1.5 * (IMAGE_PIXELS + 1) + 200;

/** Largest number of bytes, one per pixel and label, whose check ever fits. */
export function largestUpload({ budget }: MemoryLedger): number {
  const images = Math.floor((budget - UPLOAD_BASE_BYTES) / UPLOAD_IMAGE_BYTES);
  return images * (IMAGE_PIXELS + 1);
}

/** @throws AtelierError `overloaded` */
export function reserveUpload(memory: MemoryLedger, images: number): Reservation {
  const what = `Checking a data set of ${images.toLocaleString('en')} images`;
  return memory.reserve(UPLOAD_BASE_BYTES + images * UPLOAD_IMAGE_BYTES, { what });
}

/** @throws AtelierError `overloaded`, or `impossible-request` if the data set never fits */
export function admitDataset(memory: MemoryLedger, dataset: DatasetSummary): void {
  // From now on the cache counts the bytes.
  memory.reserve(tensorBytes(dataset), { what: `Loading data set ${dataset.id}` }).release();
}

function purpose(doing: string, layerSizes: LayerSizes): Purpose {
  return {
    what: `${doing} a ${layerSizes.join('-')} network`,
    advice: 'Use fewer or smaller hidden layers.',
    details: [{ pointer: '#/network/hidden', detail: 'requires too much memory' }],
  };
}
