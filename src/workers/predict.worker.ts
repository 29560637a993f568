/** Thread entry: batches of images that are too large for the main thread. */
import { createForward } from '../numerics/forward.ts';
import { answerPredictions } from './answer-predictions.ts';
import { decodeImages } from './decode-images.ts';
import type { Outcome, PredictTask } from './messages.ts';
import { toOutcome } from './serialize-error.ts';

export default function predict({
  network,
  body,
  options,
  format,
}: PredictTask): Promise<Outcome<Uint8Array>> {
  return toOutcome(() => {
    const forward = createForward(network.layerSizes, network.parameters);
    const answer = answerPredictions(network, forward, decodeImages(body), options, format);
    return typeof answer === 'string' ? new TextEncoder().encode(answer) : answer;
  });
}
