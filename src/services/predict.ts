/** Predicts the labels of images: a few at once here, more in a thread. */

import { decodeImages, type EncodedImages, viewsOf } from '../datasets/decode-images.ts';
import type { VersionName, VersionReference } from '../domain/model.ts';
import type { PredictionOptions } from '../domain/prediction.ts';
import { forwardCost } from '../numerics/forward.ts';
import { answerPredictions } from '../workers/answer-predictions.ts';
import type { PhaseMs, PredictResult, PredictTask } from '../workers/messages.ts';
import type { Pool } from '../workers/pool.ts';
import { ownMemory } from '../workers/transfer.ts';
import type { ModelService } from './find-model.ts';
import type { StatisticsFor } from './picture-statistics.ts';

/** The main thread computes no more than this at once. */
const MAX_IMAGES_HERE = 64;
const MAX_MULTIPLY_ADDS_HERE = 4_000_000;
/** 64 images as JSON, or as float32. */
const MAX_BYTES_HERE = 256 * 1024;

export interface PredictService {
  /**
   * @param version the champion where none is given, else the newest
   * @param options `diagnose` is for JSON
   * @param signal asked for only where a thread is needed
   * @returns the serialised answer
   * @throws AtelierError `model-not-found`, what is wrong with the images, or why there is nothing to diagnose them by
   */
  predict(
    model: { readonly name: string; readonly version?: VersionName },
    images: EncodedImages,
    options: PredictionOptions & { readonly diagnose?: boolean },
    format: 'json' | 'npy',
    signal: () => AbortSignal,
  ): Promise<string | Buffer>;
}

/** Told of every request that was answered. */
export type OnPredicted = (model: VersionReference, images: number, ms: PhaseMs) => void;

export function createPredictService(
  models: ModelService,
  pool: Pool<PredictTask, PredictResult>,
  statisticsFor: StatisticsFor,
  onPredicted: OnPredicted = () => {},
): PredictService {
  return {
    async predict({ name, version }, images, { topK, logits, diagnose = false }, format, signal) {
      const model = await models.load(name, version);
      const { forward, ...network } = model;
      const options = { topK, logits };
      let rest = images;
      let decode = 0;
      if (!diagnose && byteLength(images) <= MAX_BYTES_HERE) {
        const startedAt = performance.now();
        const batch = decodeImages(images);
        decode = performance.now() - startedAt;
        const cost = batch.count * forwardCost(model.layerSizes);
        if (batch.count <= MAX_IMAGES_HERE && cost <= MAX_MULTIPLY_ADDS_HERE) {
          const { answer, computeMs, serialiseMs } = answerPredictions(
            network,
            forward,
            batch,
            options,
            format,
          );
          const ms = { wait: 0, decode, compute: computeMs, serialise: serialiseMs };
          onPredicted(model.reference, batch.count, ms);
          return typeof answer === 'string' ? answer : Buffer.from(answer);
        }
        rest = { kind: 'batch', ...batch };
      }
      const hungUp = signal();
      const diagnosing = diagnose ? await statisticsFor(model, hungUp) : null;
      const askedAt = performance.now();
      // Nobody else looks at the body any more: it is not copied.
      const { answer, ...done } = await pool.run(
        { network, images: rest, options, format, diagnosing },
        hungUp,
        ownMemory(viewsOf(rest)),
      );
      const wait = performance.now() - askedAt - done.ms.decode - done.ms.compute - done.ms.serialise;
      onPredicted(model.reference, done.images, { ...done.ms, wait, decode: decode + done.ms.decode });
      return Buffer.from(answer.buffer as ArrayBuffer, answer.byteOffset, answer.byteLength);
    },
  };
}

function byteLength(images: EncodedImages): number {
  return viewsOf(images).reduce((sum, { byteLength }) => sum + byteLength, 0);
}
