/** The response to images that were predicted while they arrived. */
import { npyBytes } from '../../formats/arrays/npy.ts';
import type { EncodedResponse, Outputs } from '../../protocols/codec.ts';
import type { PhaseMs } from '../../protocols/compute-response.ts';
import type { PredictionOptions } from '../../protocols/native/schema.ts';
import { addTallies, type PredictionTally } from '../../protocols/prediction-tally.ts';
import type { NativeRequest } from '../../protocols/protocol-map.ts';
import type { PredictionPool } from '../../workers/pools.ts';
import type { BlockResult, WrittenResponse } from '../../workers/predictions/entry.worker.ts';
import { release } from '../../workers/threads/transfer.ts';
import type { LoadedModel } from '../models/loaded-version.ts';
import type { PredictionStream } from './streamed-images.ts';

interface StreamResponse {
  readonly response: EncodedResponse;
  readonly images: number;
  readonly ms: PhaseMs;
  readonly tally: PredictionTally;
}

/**
 * Writes npy on this thread, because it is a copy, and JSON in a worker thread.
 * @throws AtelierError the errors of the pool; `signal.reason` if it aborts
 */
export async function computeStreamResponse(
  pool: PredictionPool,
  stream: PredictionStream,
  options: PredictionOptions,
  format: NativeRequest['format'],
  signal: AbortSignal,
): Promise<StreamResponse> {
  const { model, ms } = stream;
  const blocks = await stream.end(signal);
  const startedAt = performance.now();
  const tally = addTallies(blocks.map((block) => block.tally));
  const outputs = joinOutputs(blocks, options.logits);
  const images = outputs.probabilities.length / model.classNames.length;
  const { body, serialiseMs } =
    format === 'npy' ? writeNpy(outputs, images) : await writeJson(pool, model, outputs, options, signal);
  const wait = ms.wait + performance.now() - startedAt - serialiseMs;
  return {
    response: { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), jsonBytes: null },
    images,
    ms: { ...ms, wait, decode: 0, serialise: serialiseMs },
    tally,
  };
}

/** Frees the blocks; without logits unless they are needed. */
function joinOutputs(blocks: readonly BlockResult[], withLogits: boolean): Outputs {
  const outputs = {
    probabilities: join(blocks.map((block) => block.outputs.probabilities)),
    logits: join(withLogits ? blocks.map((block) => block.outputs.logits) : []),
  };
  release(blocks.flatMap((block) => [block.outputs.probabilities, block.outputs.logits]));
  return outputs;
}

function join(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}

function writeNpy({ probabilities, logits }: Outputs, images: number): WrittenResponse {
  const startedAt = performance.now();
  const body = npyBytes(probabilities, [images, probabilities.length / images]);
  release([probabilities, logits]);
  return { body, serialiseMs: performance.now() - startedAt };
}

function writeJson(
  pool: PredictionPool,
  { reference, architecture, classNames }: LoadedModel,
  outputs: Outputs,
  options: PredictionOptions,
  signal: AbortSignal,
): Promise<WrittenResponse> {
  const { probabilities, logits } = outputs;
  const task = { model: { reference, architecture, classNames }, outputs, options };
  return pool.run('writeJson', task, signal, [probabilities, logits]);
}
