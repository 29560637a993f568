/** Predicts the labels of images: few images on the main thread, more in a worker thread. */

import type { ReceivedImages } from '../datasets/decode-images.ts';
import { joinBatches } from '../datasets/image-batch.ts';
import type { Fit } from '../domain/image-query.ts';
import type { VersionName, VersionReference } from '../domain/model-reference.ts';
import { type Preprocessing, preprocessingFor } from '../domain/preprocessing.ts';
import type { ImageStatistics } from '../numerics/diagnosis/image-statistics.ts';
import { forwardCost } from '../numerics/forward.ts';
import type { Decoded, EncodedResponse, WithEncodedImages } from '../protocols/codec.ts';
import { computeResponse } from '../protocols/compute-response.ts';
import type { PredictionOptions } from '../protocols/native/schema.ts';
import type { PredictionTally } from '../protocols/prediction-tally.ts';
import {
  codecFor,
  type DecodedRequest,
  type NativeRequest,
  type PredictRequest,
  type ProtocolRequest,
  requestBuffers,
} from '../protocols/protocol-map.ts';
import type { PhaseMs } from '../workers/messages.ts';
import type { Pool } from '../workers/pool.ts';
import type { PredictTasks } from '../workers/tasks.ts';
import { transferableBuffers } from '../workers/transfer.ts';
import type { DecodeFiles } from './image-decoder.ts';
import type { LoadedModel } from './loaded-model.ts';
import { type ModelService, servedNetwork } from './models.ts';
import type { LoadStatistics } from './statistics-cache.ts';
import { then } from './then.ts';

/** Limits for the main thread: number of images, and multiply-adds. */
const MAX_INLINE_IMAGES = 64;
const MAX_INLINE_MULTIPLY_ADDS = 4_000_000;
/** Enough for 64 images as JSON or float32. */
export const MAX_INLINE_BYTES = 256 * 1024;

/** If `version` is omitted: the champion, or the newest version if the model has no champion. */
interface ModelRef {
  readonly name: string;
  readonly version?: VersionName;
}

export interface PredictionResponse extends EncodedResponse {
  /** The version that predicted. */
  readonly model: VersionReference;
}

export interface PredictionService {
  /** Loads the version for `predict`. @throws AtelierError `model-not-found`, `checkpoint-not-found` */
  load(model: ModelRef): LoadedModel | Promise<LoadedModel>;
  /**
   * Predicts in the native protocol; synchronously where the main thread predicts, because promises would take as long as
   * the prediction.
   * @param options `diagnose` requires JSON
   * @param signal called only if the request must wait for a worker thread
   * @throws AtelierError the errors of the codec and of `LoadStatistics`
   */
  predict(
    model: LoadedModel,
    images: ReceivedImages,
    options: PredictionOptions & { readonly diagnose?: boolean },
    format: NativeRequest['format'],
    signal: () => AbortSignal,
  ): PredictionResponse | Promise<PredictionResponse>;
  /**
   * Predicts in another protocol.
   * @throws AtelierError `model-not-found`, `checkpoint-not-found`, and the errors of the codec
   */
  respond(model: ModelRef, request: ProtocolRequest, signal: () => AbortSignal): Promise<PredictionResponse>;
}

/** Called for every successful request, in all protocols. */
export type OnPredicted = (
  model: VersionReference,
  images: number,
  ms: PhaseMs,
  tally: PredictionTally,
) => void;

export interface PredictionObserver {
  readonly onPredicted: OnPredicted;
  /** Called for every failed request to an existing model. */
  onFailed(model: VersionReference, ms: number): void;
}

/** @param decodeFiles decodes encoded images in JSON */
export function createPredictionService(
  models: ModelService,
  pool: Pool<PredictTasks>,
  loadStatistics: LoadStatistics,
  decodeFiles: DecodeFiles,
  { onPredicted, onFailed }: PredictionObserver,
): PredictionService {
  /** @param decodedIn milliseconds that decoding has taken so far */
  function compute(
    model: LoadedModel,
    request: PredictRequest | DecodedRequest,
    preprocessing: Preprocessing | null,
    signal: () => AbortSignal,
    decodedIn = 0,
  ): EncodedResponse | Promise<EncodedResponse> {
    if (!('decoded' in request) && fitsMainThread(request)) {
      const startedAt = performance.now();
      const received = codecFor(request).decode(request);
      const { protocol } = request;
      const computeDecoded = (decoded: Decoded<unknown>) =>
        compute(model, { protocol, decoded }, preprocessing, signal, performance.now() - startedAt);
      return 'encoded' in received
        ? decodeEncoded(received, preprocessing, signal).then(computeDecoded)
        : computeDecoded(received);
    }
    if ('decoded' in request && isSmall(request, model)) {
      const { decoded } = request;
      const codec = codecFor(request);
      const { response, tally, computeMs, serialiseMs } = computeResponse(
        codec,
        decoded,
        model.forward,
        model,
      );
      const ms = { wait: 0, decode: decodedIn, compute: computeMs, serialise: serialiseMs };
      onPredicted(model.reference, decoded.batch.count, ms, tally);
      return response;
    }
    return computeInThread(model, request, preprocessing, signal, decodedIn);
  }

  async function computeInThread(
    model: LoadedModel,
    request: PredictRequest | DecodedRequest,
    preprocessing: Preprocessing | null,
    signal: () => AbortSignal,
    decodedIn: number,
  ): Promise<EncodedResponse> {
    const startedAt = performance.now();
    // The body is not needed on this thread any more, so it is transferred instead of copied.
    const result = await pool.run(
      'predict',
      { network: servedNetwork(model), request },
      signal(),
      transferableBuffers(requestBuffers(request)),
    );
    if ('encoded' in result) {
      const decoded = await decodeEncoded(result, preprocessing, signal);
      const { protocol } = request;
      return compute(model, { protocol, decoded }, preprocessing, signal, performance.now() - startedAt);
    }
    const { body, jsonBytes, images, tally, ms } = result;
    const wait = performance.now() - startedAt - ms.decode - ms.compute - ms.serialise;
    onPredicted(model.reference, images, { ...ms, wait, decode: decodedIn + ms.decode }, tally);
    // Structured clone turns a Buffer into a plain Uint8Array.
    return { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), jsonBytes };
  }

  async function decodeEncoded(
    { encoded, responseFormat }: WithEncodedImages<unknown>,
    preprocessing: Preprocessing | null,
    signal: () => AbortSignal,
  ): Promise<Decoded<unknown>> {
    const images = await decodeFiles(encoded, preprocessing, signal);
    return { batch: joinBatches(images.map(({ batch }) => batch)), responseFormat };
  }

  function reportFailure<T>({ reference }: LoadedModel, work: () => T | Promise<T>): T | Promise<T> {
    const startedAt = performance.now();
    const fail = (error: unknown): never => {
      onFailed(reference, performance.now() - startedAt);
      throw error;
    };
    try {
      const result = work();
      return result instanceof Promise ? result.catch(fail) : result;
    } catch (error) {
      return fail(error);
    }
  }

  return {
    load: ({ name, version }) => models.load(name, version),

    predict(model, images, { topK, logits, input = false, diagnose = false }, format, signal) {
      const computeWith = (imageStatistics: ImageStatistics | null) =>
        compute(
          model,
          { protocol: 'native', images, options: { topK, logits, input }, format, imageStatistics },
          null,
          signal,
        );
      return reportFailure(model, () => {
        const response = diagnose ? loadStatistics(model, signal()).then(computeWith) : computeWith(null);
        return then(response, ({ body, jsonBytes }) => ({ body, jsonBytes, model: model.reference }));
      });
    },

    async respond({ name, version }, request, signal) {
      const model = await models.load(name, version);
      return reportFailure(model, async () => ({
        ...(await compute(
          model,
          request,
          preprocessingFor(model.preprocessing, requestedFit(request)),
          signal,
        )),
        model: model.reference,
      }));
    },
  };
}

/** KServe v2 accepts numbers only. */
const requestedFit = (request: ProtocolRequest): Fit => ('fit' in request ? request.fit : undefined);

/** Diagnosis always runs in a worker, because it takes longer than prediction. */
function fitsMainThread(request: PredictRequest): boolean {
  if (request.protocol === 'native' && request.imageStatistics) return false;
  return requestBuffers(request).reduce((sum, { byteLength }) => sum + byteLength, 0) <= MAX_INLINE_BYTES;
}

function isSmall({ decoded }: DecodedRequest, { layerSizes }: Pick<LoadedModel, 'layerSizes'>): boolean {
  const { count } = decoded.batch;
  return count <= MAX_INLINE_IMAGES && count * forwardCost(layerSizes) <= MAX_INLINE_MULTIPLY_ADDS;
}
