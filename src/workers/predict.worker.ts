/** Thread entry: batches of images that are too large for the main thread. */

import { decodeImages } from '../datasets/decode-images.ts';
import { createForward } from '../numerics/forward.ts';
import { answerPredictions } from './answer-predictions.ts';
import type { Outcome, PredictTask } from './messages.ts';
import { toOutcome } from './serialize-error.ts';

export default function predict({
  network,
  images,
  options,
  format,
}: PredictTask): Promise<Outcome<Uint8Array>> {
  return toOutcome(() => {
    const forward = createForward(network, network.parameters);
    const answer = answerPredictions(network, forward, decodeImages(images), options, format);
    return typeof answer === 'string' ? new TextEncoder().encode(answer) : answer;
  });
}
