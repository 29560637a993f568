/** Thread entry: predictions, and bodies with encoded images, that are too large for the main thread. */

import type { EncodedImage } from '../../images/sent.ts';
import { valueCount } from '../../numerics/network/image-shape.ts';
import { CHUNK_EXAMPLES } from '../../numerics/simd/constants.ts';
import type { KernelForward } from '../../numerics/simd/kernel-forward.ts';
import type { Guarantee, LoadedCalibration, Outputs, ServedModel } from '../../protocols/codec.ts';
import { computeOutputs, joinOutputs, outputBuffers } from '../../protocols/compute-outputs.ts';
import { writePredictions } from '../../protocols/native/response.ts';
import type { PredictionOptions } from '../../protocols/native/schema.ts';
import type { PredictionTally } from '../../protocols/prediction-tally.ts';
import { tallyPredictions } from '../../protocols/prediction-tally.ts';
import type { ServedNetwork } from '../kernel/compile.ts';
import { checkKernel, createForward } from '../kernel/compile.ts';
import { serve } from '../threads/serve.ts';
import { release } from '../threads/transfer.ts';
import type { PredictTask } from './requests.ts';

/** Predicts images that arrived while earlier ones of the same body were predicted. */
export interface BlockTask {
  readonly network: ServedNetwork;
  /** The bytes of whole images; an image may lie in several chunks. */
  readonly chunks: readonly Uint8Array[];
  readonly guarantee: Guarantee | null;
  /** null without a guarantee */
  readonly calibration: LoadedCalibration | null;
}

export interface BlockResult {
  readonly outputs: Outputs;
  readonly tally: PredictionTally;
  readonly computeMs: number;
}

/** Writes the JSON of predictions. */
export interface JsonTask {
  readonly model: ServedModel;
  readonly outputs: Outputs;
  readonly options: PredictionOptions;
}

export interface WrittenResponse {
  readonly body: Uint8Array;
  readonly serialiseMs: number;
}

/** The network of the last task, laid out for the kernel, because consecutive batches often use the same one. */
let last: { readonly key: string; readonly forward: KernelForward['forward'] } | null = null;

function cachedForward(network: ServedNetwork): KernelForward['forward'] {
  const key = `${network.reference.name}@${network.reference.version}`;
  if (last?.key !== key) last = { key, forward: createForward(network) };
  return last.forward;
}

function computeBlock({ network, chunks, guarantee, calibration }: BlockTask): BlockResult {
  const startedAt = performance.now();
  const forward = cachedForward(network);
  const values = valueCount(network.architecture.inputShape);
  /** Images that pass through the network together, gathered from the chunks in which they arrived. */
  const gathered = new Uint8Array(CHUNK_EXAMPLES * values);
  const parts: Outputs[] = [];
  let filled = 0;
  function predictGathered(): void {
    const batch = { count: filled / values, pixels: gathered.subarray(0, filled) };
    parts.push(computeOutputs(batch, forward, network, guarantee, calibration));
    filled = 0;
  }
  for (const chunk of chunks) {
    for (let start = 0; start < chunk.length; ) {
      const part = chunk.subarray(start, start + gathered.length - filled);
      gathered.set(part, filled);
      filled += part.length;
      start += part.length;
      if (filled === gathered.length) predictGathered();
    }
  }
  if (filled > 0) predictGathered();
  release(chunks);
  const outputs = joinOutputs(parts);
  return {
    outputs,
    tally: tallyPredictions(outputs.probabilities, network.classNames.length),
    computeMs: performance.now() - startedAt,
  };
}

function writeResponse({ model, outputs, options }: JsonTask): WrittenResponse {
  const startedAt = performance.now();
  const body = new TextEncoder().encode(writePredictions(model, outputs, options));
  release(outputBuffers(outputs));
  return { body, serialiseMs: performance.now() - startedAt };
}

/** Takes 14 MiB, and a thread that predicts the blocks of large bodies does not need it. */
const importRequests = () => import('./requests.ts');

const tasks = {
  /**
   * Returns encoded images in the body, because the main thread decodes them, and images whose calibration it has not loaded.
   */
  predict: async (task: PredictTask) => (await importRequests()).computePredictions(task, cachedForward),
  predictBlock: computeBlock,
  writeJson: writeResponse,
  /** Reads a JSON body with encoded images. They are decoded later. */
  readEncoded: async ({ bytes }: { readonly bytes: Uint8Array }): Promise<readonly EncodedImage[]> =>
    (await importRequests()).readEncodedJson(bytes),
};
export type PredictTasks = typeof tasks;

checkKernel();
serve(tasks, {
  predict(result) {
    if ('batch' in result) return [result.batch.pixels];
    return 'encoded' in result ? result.encoded.map(({ bytes }) => bytes) : [result.body];
  },
  predictBlock: ({ outputs }) => outputBuffers(outputs),
  writeJson: ({ body }) => [body],
  readEncoded: (images) => images.map(({ bytes }) => bytes),
});
