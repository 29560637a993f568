/** A request that was read → the serialised answer, on whichever thread computes it. */
import type { ImageBatch } from '../datasets/image-batch.ts';
import { AtelierError } from '../errors.ts';
import type { KernelForward } from '../numerics/simd/kernel-forward.ts';
import type { EncodedResponse, ServedNetwork } from '../workers/messages.ts';

/** Of each image one row: n × classes, row-major. */
export interface Outputs {
  readonly probabilities: Float32Array;
  readonly logits: Float32Array;
}

export interface DecodedRequest {
  readonly batch: ImageBatch;
  readonly write: (network: ServedNetwork, outputs: Outputs) => EncodedResponse;
}

/** @throws AtelierError `impossible-request` for a protocol that has no way to say that there is no number */
export function computeResponse(
  network: ServedNetwork,
  forward: KernelForward['forward'],
  { batch, write }: DecodedRequest,
): { response: EncodedResponse; computeMs: number; serialiseMs: number } {
  const startedAt = performance.now();
  const logits = new Float32Array(batch.count * network.classNames.length);
  const probabilities = new Float32Array(logits.length);
  forward(logits, probabilities, batch.pixels);
  const computedAt = performance.now();
  const answer = write(network, { probabilities, logits });
  return { response: answer, computeMs: computedAt - startedAt, serialiseMs: performance.now() - computedAt };
}

/** @throws AtelierError `impossible-request` where there is NaN, which many clients cannot read */
export function assertFinite({ reference }: ServedNetwork, probabilities: Float32Array): void {
  // Of infinite ones the sum is no number, and so it is of the others.
  if (!probabilities.some(Number.isNaN)) return;
  throw new AtelierError(
    'impossible-request',
    `The numbers of ${reference.name} version ${reference.version} overflow for these images: it has no probabilities for them. Use another version.`,
  );
}
