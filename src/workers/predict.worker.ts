/** Thread entry: batches of images that are too large for the main thread. */
import type { KernelForward } from '../numerics/simd/kernel-forward.ts';
import { computeResponse } from '../protocols/compute-response.ts';
import { decodeRequest } from '../protocols/native/codec.ts';
import { checkKernel, createForward } from './kernel.ts';
import type { Outcome, PredictResult, PredictTask, ServedNetwork } from './messages.ts';
import { toOutcome } from './serialize-error.ts';
import { transferResult } from './transfer.ts';

checkKernel();

/** The network of the last task, laid out for the kernel: batches often come in a row. */
let last: { readonly key: string; readonly forward: KernelForward['forward'] } | null = null;

function cachedForward(network: ServedNetwork): KernelForward['forward'] {
  const key = `${network.reference.name}@${network.reference.version}`;
  if (last?.key !== key) last = { key, forward: createForward(network) };
  return last.forward;
}

export default async function predict({ network, request }: PredictTask): Promise<Outcome<PredictResult>> {
  const outcome = await toOutcome(async () => {
    const startedAt = performance.now();
    const read = await decodeRequest(request);
    const decode = performance.now() - startedAt;
    const {
      response: answer,
      computeMs,
      serialiseMs,
    } = computeResponse(network, cachedForward(network), read);
    const { body, jsonBytes } = answer;
    return {
      body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
      jsonBytes,
      images: read.batch.count,
      ms: { decode, compute: computeMs, serialise: serialiseMs },
    };
  });
  return outcome.ok ? transferResult(outcome, [outcome.value.body]) : outcome;
}
