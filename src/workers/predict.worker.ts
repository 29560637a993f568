/** Thread entry: batches of images that are too large for the main thread. */
import { decodeImages } from '../datasets/decode-images.ts';
import type { KernelForward } from '../numerics/simd/forward.ts';
import { answerPredictions } from './answer-predictions.ts';
import { diagnoseImages } from './diagnose-images.ts';
import { checkKernel, forwardOf } from './kernel.ts';
import type { Outcome, PredictResult, PredictTask, ServedNetwork } from './messages.ts';
import { toOutcome } from './serialize-error.ts';
import { handOver } from './transfer.ts';

checkKernel();

/** The network of the last task, laid out for the kernel: batches often come in a row. */
let last: { readonly key: string; readonly forward: KernelForward['forward'] } | null = null;

function lastOr(network: ServedNetwork): KernelForward['forward'] {
  const key = `${network.reference.name}@${network.reference.version}`;
  if (last?.key !== key) last = { key, forward: forwardOf(network) };
  return last.forward;
}

export default async function predict({
  network,
  images,
  options,
  format,
  diagnosing,
}: PredictTask): Promise<Outcome<PredictResult>> {
  const outcome = await toOutcome(() => {
    const startedAt = performance.now();
    const batch = decodeImages(images);
    const decodedAt = performance.now();
    const diagnoses = diagnosing && diagnoseImages(images, batch, diagnosing);
    const diagnoseMs = performance.now() - decodedAt;
    const { answer, computeMs, serialiseMs } = answerPredictions(
      network,
      lastOr(network),
      batch,
      options,
      format,
      diagnoses,
    );
    return {
      answer: typeof answer === 'string' ? new TextEncoder().encode(answer) : answer,
      images: batch.count,
      ms: { decode: decodedAt - startedAt, compute: diagnoseMs + computeMs, serialise: serialiseMs },
    };
  });
  return outcome.ok ? handOver(outcome, [outcome.value.answer]) : outcome;
}
