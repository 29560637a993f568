/** Whether a training would fit: typed arrays are not counted by a thread's resource limits. */
import { totalmem } from 'node:os';
import { AtelierError } from '../errors.ts';
import { type LayerSizes, parameterCount } from '../numerics/network.ts';

/** Parameters and gradient in float64, a float64 and two float32 copies when an epoch is measured and published. */
const BYTES_PER_PARAMETER = 8 + 8 + 8 + 4 + 4;
/** The rest is the data set's, the other jobs' and the service's. */
const SHARE_OF_MEMORY = 0.5;

/** @throws AtelierError `impossible-request`, with the estimate */
export function assertTrainingFitsMemory(layerSizes: LayerSizes): void {
  const wanted = parameterCount(layerSizes) * BYTES_PER_PARAMETER;
  // In a container its limit counts; without one Node says 0, or 2^64.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  const available = Math.min(limit, totalmem()) * SHARE_OF_MEMORY;
  if (wanted <= available) return;
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  throw new AtelierError(
    'impossible-request',
    `Training a ${layerSizes.join('-')} network takes about ${mebibytes(wanted)} of memory; ` +
      `${mebibytes(available)} are there for a job. Use fewer or smaller hidden layers.`,
    { details: [{ pointer: '#/network/hidden', detail: 'needs too much memory' }] },
  );
}
