/** Predictions of whole requests in a thread: decodes the body, computes, and writes the response. */
import type { KernelForward } from '../../numerics/simd/kernel-forward.ts';
import type { Decoded, LoadedCalibration, WithEncodedImages } from '../../protocols/codec.ts';
import { computeResponse, type PhaseMs } from '../../protocols/compute-response.ts';
import type { PredictionTally } from '../../protocols/prediction-tally.ts';
import {
  codecFor,
  type DecodedRequest,
  type PredictRequest,
  requestBuffers,
} from '../../protocols/protocol-map.ts';
import type { ServedNetwork } from '../kernel/compile.ts';
import { release } from '../threads/transfer.ts';

export { readEncodedJson } from '../../images/json-encoded.ts';

export interface PredictTask {
  readonly network: ServedNetwork;
  readonly request: PredictRequest | DecodedRequest;
  /** null if it is not needed, or not yet known to be needed. */
  readonly calibration: LoadedCalibration | null;
}

export interface PredictResult {
  readonly body: Uint8Array;
  readonly jsonBytes: number | null;
  readonly images: number;
  readonly tally: PredictionTally;
  readonly ms: Omit<PhaseMs, 'wait'>;
}

/** @param forwardOf lays out the network for the kernel, unless the thread has it already */
export function computePredictions(
  { network, request, calibration }: PredictTask,
  forwardOf: (network: ServedNetwork) => KernelForward['forward'],
): PredictResult | WithEncodedImages<unknown> | Decoded<unknown> {
  const startedAt = performance.now();
  const codec = codecFor(request);
  const decoded = 'decoded' in request ? request.decoded : codec.decode(request, network);
  if ('encoded' in decoded || (decoded.guarantee && calibration === null)) return decoded;
  const decode = performance.now() - startedAt;
  const forward = forwardOf(network);
  const { response, tally, compute, serialise } = computeResponse(
    codec,
    decoded,
    forward,
    network,
    performance.now(),
    calibration,
  );
  const images = decoded.batch.count;
  // Moved here, and not read again.
  release(requestBuffers(request));
  const { body, jsonBytes } = response;
  return {
    body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
    jsonBytes,
    images,
    tally,
    ms: { decode, compute, serialise },
  };
}
