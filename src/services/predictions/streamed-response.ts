/** The response to images that were predicted while they arrived. */
import { tallyJudgements } from '../../numerics/calibration/judge.ts';
import type { EncodedResponse, Outputs } from '../../protocols/codec.ts';
import { joinOutputs, outputBuffers } from '../../protocols/compute-outputs.ts';
import type { PhaseMs } from '../../protocols/compute-response.ts';
import { encodeNpy } from '../../protocols/native/response.ts';
import type { PredictionOptions } from '../../protocols/native/schema.ts';
import { addTallies, type PredictionTally } from '../../protocols/prediction-tally.ts';
import type { NativeRequest } from '../../protocols/protocol-map.ts';
import type { PredictionPool } from '../../workers/pools.ts';
import type { WrittenResponse } from '../../workers/predictions/entry.worker.ts';
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
  const outputs = joinOutputs(blocks.map((block) => block.outputs));
  release(blocks.flatMap((block) => outputBuffers(block.outputs)));
  const judged = outputs.judgements ? tallyJudgements(outputs.judgements) : null;
  const tally = { ...addTallies(blocks.map((block) => block.tally)), judged };
  const images = outputs.probabilities.length / model.classNames.length;
  const { body, serialiseMs } =
    format === 'npy' ? writeNpy(outputs, model) : await writeJson(pool, model, outputs, options, signal);
  const wait = ms.wait + performance.now() - startedAt - serialiseMs;
  return {
    response: { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), jsonBytes: null },
    images,
    ms: { ...ms, wait, decode: 0, serialise: serialiseMs },
    tally,
  };
}

function writeNpy(outputs: Outputs, { classNames }: LoadedModel): WrittenResponse {
  const startedAt = performance.now();
  const body = encodeNpy(outputs, classNames.length);
  release(outputBuffers(outputs));
  return { body, serialiseMs: performance.now() - startedAt };
}

function writeJson(
  pool: PredictionPool,
  { reference, architecture, classNames }: LoadedModel,
  outputs: Outputs,
  options: PredictionOptions,
  signal: AbortSignal,
): Promise<WrittenResponse> {
  const task = { model: { reference, architecture, classNames }, outputs, options };
  return pool.run('writeJson', task, signal, outputBuffers(outputs));
}
