/** Thread entry: predictions that are too large for the main thread, from the encoded request to the encoded response. */
import type { KernelForward } from '../numerics/simd/kernel-forward.ts';
import { computeResponse } from '../protocols/compute-response.ts';
import { codecFor } from '../protocols/registry.ts';
import { checkKernel, createForward } from './kernel.ts';
import type { Outcome, PredictResult, PredictTask, ServedNetwork } from './messages.ts';
import { toOutcome } from './serialize-error.ts';
import { transferResult } from './transfer.ts';

checkKernel();

/** The network of the last task, laid out for the kernel, because consecutive batches often use the same one. */
let last: { readonly key: string; readonly forward: KernelForward['forward'] } | null = null;

function cachedForward(network: ServedNetwork): KernelForward['forward'] {
  const key = `${network.reference.name}@${network.reference.version}`;
  if (last?.key !== key) last = { key, forward: createForward(network) };
  return last.forward;
}

export default async function predict({ network, request }: PredictTask): Promise<Outcome<PredictResult>> {
  const outcome = await toOutcome(async () => {
    const startedAt = performance.now();
    const codec = codecFor(request);
    const decoded = await codec.decode(request);
    const decode = performance.now() - startedAt;
    const { response, computeMs, serialiseMs } = computeResponse(
      codec,
      decoded,
      cachedForward(network),
      network,
    );
    const { body, jsonBytes } = response;
    return {
      body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
      jsonBytes,
      images: decoded.batch.count,
      ms: { decode, compute: computeMs, serialise: serialiseMs },
    };
  });
  return outcome.ok ? transferResult(outcome, [outcome.value.body]) : outcome;
}
