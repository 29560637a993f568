/** Thread entry: predictions, and bodies with encoded images, that are too large for the main thread. */
import { readEncodedJson } from '../datasets/json-encoded-images.ts';
import type { KernelForward } from '../numerics/simd/kernel-forward.ts';
import type { WithEncodedImages } from '../protocols/codec.ts';
import { computeResponse } from '../protocols/compute-response.ts';
import { codecFor, requestBuffers } from '../protocols/protocol-map.ts';
import { checkKernel, createForward } from './kernel.ts';
import type { PredictResult, PredictTask, ServedNetwork } from './messages.ts';
import { toOutcome } from './outcome.ts';
import type { Handlers, PredictTasks } from './tasks.ts';
import { release } from './transfer.ts';

checkKernel();

/** The network of the last task, laid out for the kernel, because consecutive batches often use the same one. */
let last: { readonly key: string; readonly forward: KernelForward['forward'] } | null = null;

function cachedForward(network: ServedNetwork): KernelForward['forward'] {
  const key = `${network.reference.name}@${network.reference.version}`;
  if (last?.key !== key) last = { key, forward: createForward(network) };
  return last.forward;
}

function computePredictions({ network, request }: PredictTask): PredictResult | WithEncodedImages<unknown> {
  const startedAt = performance.now();
  const codec = codecFor(request);
  const decoded = 'decoded' in request ? request.decoded : codec.decode(request);
  if ('encoded' in decoded) return decoded;
  const decode = performance.now() - startedAt;
  const forward = cachedForward(network);
  const { response, tally, compute, serialise } = computeResponse(
    codec,
    decoded,
    forward,
    network,
    performance.now(),
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

export const { predict, readEncoded } = {
  predict: (task) =>
    toOutcome(
      () => computePredictions(task),
      (result) => ('encoded' in result ? result.encoded.map(({ bytes }) => bytes) : [result.body]),
    ),
  readEncoded: ({ bytes }) =>
    toOutcome(
      () => readEncodedJson(bytes),
      (images) => images.map((image) => image.bytes),
    ),
} satisfies Handlers<PredictTasks>;
