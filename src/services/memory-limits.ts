/** Memory limits of trainings and gradient checks: running out of memory would end all jobs. */
import { totalmem } from 'node:os';
import type { TrainingRequest } from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import type { LayerSizes } from '../numerics/network.ts';
import { gradientCheckBytes, trainingBytes } from '../numerics/training-memory.ts';

/** Fraction available to one job; the rest is for data sets, other jobs and the service. */
const MEMORY_FRACTION = 0.5;

/** Bytes that one job may take. */
export function memoryPerJob(): number {
  // The container's limit applies; without one Node returns 0 or 2^64.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.min(limit, totalmem()) * MEMORY_FRACTION;
}

/** @throws AtelierError `impossible-request`, with the estimate */
export function assertTrainingFitsMemory(
  { training, gradientCheck }: Pick<TrainingRequest, 'training' | 'gradientCheck'>,
  layerSizes: LayerSizes,
): void {
  const { batchSize, threads, optimizer, earlyStopping } = training;
  const keepsBest = earlyStopping?.restoreBest ?? false;
  const size = { layerSizes, batchSize, threads, optimizer, keepsBest, isChecked: gradientCheck };
  assertFits(trainingBytes(size), `Training a ${layerSizes.join('-')} network`);
}

/** @throws AtelierError `impossible-request`, with the estimate */
export function assertGradientCheckFitsMemory(layerSizes: LayerSizes, examples: number): void {
  assertFits(gradientCheckBytes(layerSizes, examples), `Checking a ${layerSizes.join('-')} network`);
}

function assertFits(wanted: number, what: string): void {
  const available = memoryPerJob();
  if (wanted <= available) return;
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  throw new AtelierError(
    'impossible-request',
    `${what} takes about ${mebibytes(wanted)} of memory; ${mebibytes(available)} are available for a job. ` +
      'Use fewer or smaller hidden layers.',
    { details: [{ pointer: '#/network/hidden', detail: 'requires too much memory' }] },
  );
}
