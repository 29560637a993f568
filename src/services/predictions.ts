/** Predicts the labels of images: a few at once here, more in a thread. */

import { bufferViews, type EncodedImages } from '../datasets/decode-images.ts';
import type { ImageBatch } from '../datasets/image-batch.ts';
import type { VersionName, VersionReference } from '../domain/model-reference.ts';
import { forwardCost } from '../numerics/forward.ts';
import type { EncodedResponse } from '../protocols/codec.ts';
import { computeResponse } from '../protocols/compute-response.ts';
import type { PredictionOptions } from '../protocols/native/schema.ts';
import {
  codecFor,
  type NativeRequest,
  type PredictRequest,
  type ProtocolRequest,
} from '../protocols/registry.ts';
import type { PhaseMs } from '../workers/messages.ts';
import type { Pool } from '../workers/pool.ts';
import type { PredictTasks } from '../workers/tasks.ts';
import { transferableBuffers } from '../workers/transfer.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { ModelService } from './models.ts';
import type { LoadStatistics } from './statistics-cache.ts';

/** The main thread computes no more than this at once. */
const MAX_INLINE_IMAGES = 64;
const MAX_INLINE_MULTIPLY_ADDS = 4_000_000;
/** 64 images as JSON, or as float32. */
const MAX_INLINE_BYTES = 256 * 1024;

/** The champion where no version is given, else the newest. */
interface ModelRef {
  readonly name: string;
  readonly version?: VersionName;
}

export interface PredictionService {
  /**
   * @param options `diagnose` is for JSON
   * @param signal asked for only where a thread is needed
   * @returns the serialised answer
   * @throws AtelierError `model-not-found`, what is wrong with the images, or why there is nothing to diagnose them by
   */
  predict(
    model: ModelRef,
    images: EncodedImages,
    options: PredictionOptions & { readonly diagnose?: boolean },
    format: NativeRequest['format'],
    signal: () => AbortSignal,
  ): Promise<string | Uint8Array>;
  /**
   * The same in the words of another protocol.
   * @throws AtelierError `model-not-found`, or what is wrong with the body
   */
  respond(model: ModelRef, request: ProtocolRequest, signal: () => AbortSignal): Promise<EncodedResponse>;
}

/** Told of every request that was answered. */
export type OnPredicted = (model: VersionReference, images: number, ms: PhaseMs) => void;

export interface PredictionObserver {
  readonly onPredicted: OnPredicted;
  /** Of every other request to a model that there is. */
  onFailed(model: VersionReference, ms: number): void;
}

export function createPredictionService(
  models: ModelService,
  pool: Pool<PredictTasks>,
  loadStatistics: LoadStatistics,
  { onPredicted, onFailed }: PredictionObserver,
): PredictionService {
  async function compute(
    { forward, ...network }: LoadedModel,
    request: PredictRequest,
    signal: () => AbortSignal,
  ): Promise<EncodedResponse> {
    let rest = request;
    let decode = 0;
    if (fitsMainThread(request)) {
      const startedAt = performance.now();
      const codec = codecFor(request);
      const decoded = await codec.decode(request);
      decode = performance.now() - startedAt;
      const { batch } = decoded;
      const cost = batch.count * forwardCost(network.layerSizes);
      if (batch.count <= MAX_INLINE_IMAGES && cost <= MAX_INLINE_MULTIPLY_ADDS) {
        const { response, computeMs, serialiseMs } = computeResponse(codec, decoded, forward, network);
        const ms = { wait: 0, decode, compute: computeMs, serialise: serialiseMs };
        onPredicted(network.reference, batch.count, ms);
        return response;
      }
      rest = withDecodedBatch(request, batch);
    }
    const askedAt = performance.now();
    // Nobody else looks at the body any more: it is not copied.
    const { body, jsonBytes, images, ms } = await pool.run(
      'predict',
      { network, request: rest },
      signal(),
      transferableBuffers(requestBuffers(rest)),
    );
    const wait = performance.now() - askedAt - ms.decode - ms.compute - ms.serialise;
    onPredicted(network.reference, images, { ...ms, wait, decode: decode + ms.decode });
    // It comes without its class.
    return { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), jsonBytes };
  }

  async function reportFailure<T>({ reference }: LoadedModel, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    try {
      return await work();
    } catch (error) {
      onFailed(reference, performance.now() - startedAt);
      throw error;
    }
  }

  return {
    async predict({ name, version }, images, { topK, logits, diagnose = false }, format, signal) {
      const model = await models.load(name, version);
      return reportFailure(model, async () => {
        const diagnosing = diagnose ? await loadStatistics(model, signal()) : null;
        const request: NativeRequest = {
          protocol: 'native',
          images,
          options: { topK, logits },
          format,
          diagnosing,
        };
        const { body } = await compute(model, request, signal);
        return body;
      });
    },

    async respond({ name, version }, request, signal) {
      const model = await models.load(name, version);
      return reportFailure(model, () => compute(model, request, signal));
    },
  };
}

function requestBuffers(request: PredictRequest): ArrayBufferView[] {
  return request.protocol === 'native' ? bufferViews(request.images) : [request.bytes];
}

/** To diagnose images takes longer than to predict them. */
function fitsMainThread(request: PredictRequest): boolean {
  if (request.protocol === 'native' && request.diagnosing) return false;
  return requestBuffers(request).reduce((sum, { byteLength }) => sum + byteLength, 0) <= MAX_INLINE_BYTES;
}

/** Of another protocol the answer depends on more of the body than its images: it is read again, being small. */
function withDecodedBatch(request: PredictRequest, batch: ImageBatch): PredictRequest {
  return request.protocol === 'native' ? { ...request, images: { kind: 'batch', ...batch } } : request;
}
