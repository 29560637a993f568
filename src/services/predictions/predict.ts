/** Predicts the labels of images: few images on the main thread, more in a worker thread. */

// The globals of the same names are getters.
import { Buffer } from 'node:buffer';
import { performance } from 'node:perf_hooks';
import type { VersionName, VersionReference } from '../../domain/models/reference.ts';
import type { Fit } from '../../domain/predictions/image-query.ts';
import { type Preprocessing, preprocessingFor } from '../../domain/predictions/preprocessing.ts';
import { joinBatches } from '../../images/batch.ts';
import type { ReceivedImages } from '../../images/decode.ts';
import type { ImageStatistics } from '../../numerics/diagnosis/image-statistics.ts';
import { forwardCost } from '../../numerics/network/forward.ts';
import type { Decoded, EncodedResponse, WithEncodedImages } from '../../protocols/codec.ts';
import { computeResponse } from '../../protocols/compute-response.ts';
import type { PredictionOptions } from '../../protocols/native/schema.ts';
import type { PredictionTally } from '../../protocols/prediction-tally.ts';
import {
  codecFor,
  type DecodedRequest,
  type NativeRequest,
  type PredictRequest,
  type ProtocolRequest,
  requestBuffers,
} from '../../protocols/protocol-map.ts';
import type { PredictTasks } from '../../workers/messages/by-pool.ts';
import type { PhaseMs } from '../../workers/messages/shapes.ts';
import type { Pool } from '../../workers/threads/pool.ts';
import { transferableBuffers } from '../../workers/threads/transfer.ts';
import type { LoadStatistics } from '../inspection/statistics-cache.ts';
import { type ModelService, servedNetwork } from '../models/catalog.ts';
import type { LoadedModel } from '../models/loaded-version.ts';
import type { DecodeFiles } from './image-decoder.ts';
import { PredictionStream } from './streamed-images.ts';
import { computeStreamResponse } from './streamed-response.ts';
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
   * Begins to predict images that are about to arrive, which continues while they do.
   * @returns undefined if the version is not in memory
   */
  stream(model: ModelRef): PredictionStream | undefined;
  /**
   * The response of the native protocol to all images of a stream, once they have arrived.
   * @throws AtelierError the errors of the pool
   */
  respondToStream(
    stream: PredictionStream,
    options: PredictionOptions,
    format: NativeRequest['format'],
    signal: AbortSignal,
  ): Promise<PredictionResponse>;
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
  /** @param startedAt start of the request, which is also the start of decoding on this thread */
  function compute(
    model: LoadedModel,
    request: PredictRequest,
    preprocessing: Preprocessing | null,
    signal: () => AbortSignal,
    startedAt: number,
  ): EncodedResponse | Promise<EncodedResponse> {
    if (!fitsMainThread(request)) return computeInThread(model, request, preprocessing, signal, 0);
    const { protocol } = request;
    const received = codecFor(request).decode(request);
    if (!('encoded' in received)) {
      return computeDecoded(model, { protocol, decoded: received }, preprocessing, signal, startedAt);
    }
    return decodeEncoded(received, preprocessing, signal).then((decoded) =>
      computeDecoded(model, { protocol, decoded }, preprocessing, signal, startedAt),
    );
  }

  /** @param startedAt start of decoding */
  function computeDecoded(
    model: LoadedModel,
    request: DecodedRequest,
    preprocessing: Preprocessing | null,
    signal: () => AbortSignal,
    startedAt: number,
  ): EncodedResponse | Promise<EncodedResponse> {
    const decodedAt = performance.now();
    const decode = decodedAt - startedAt;
    const { decoded } = request;
    if (!isSmall(decoded, model)) return computeInThread(model, request, preprocessing, signal, decode);
    const codec = codecFor(request);
    const { response, tally, compute, serialise } = computeResponse(
      codec,
      decoded,
      model.forward,
      model,
      decodedAt,
    );
    onPredicted(model.reference, decoded.batch.count, { wait: 0, decode, compute, serialise }, tally);
    return response;
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
      return computeDecoded(model, { protocol, decoded }, preprocessing, signal, startedAt);
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

  function reportFailure<T>(
    { reference }: LoadedModel,
    work: (startedAt: number) => T | Promise<T>,
  ): T | Promise<T> {
    const startedAt = performance.now();
    const fail = (error: unknown): never => {
      onFailed(reference, performance.now() - startedAt);
      throw error;
    };
    try {
      const result = work(startedAt);
      return result instanceof Promise ? result.catch(fail) : result;
    } catch (error) {
      return fail(error);
    }
  }

  return {
    load: ({ name, version }) => models.load(name, version),

    predict(model, images, { topK, logits, input = false, diagnose = false }, format, signal) {
      return reportFailure(model, (startedAt) => {
        const computeWith = (imageStatistics: ImageStatistics | null) =>
          compute(
            model,
            { protocol: 'native', images, options: { topK, logits, input }, format, imageStatistics },
            null,
            signal,
            startedAt,
          );
        const response = diagnose ? loadStatistics(model, signal()).then(computeWith) : computeWith(null);
        return then(response, ({ body, jsonBytes }) => ({ body, jsonBytes, model: model.reference }));
      });
    },

    stream({ name, version }) {
      const model = models.loaded(name, version);
      return model && new PredictionStream(pool, model);
    },

    async respondToStream(stream, options, format, signal) {
      const { model } = stream;
      return reportFailure(model, async () => {
        const computed = await computeStreamResponse(pool, stream, options, format, signal);
        onPredicted(model.reference, computed.images, computed.ms, computed.tally);
        return { ...computed.response, model: model.reference };
      });
    },

    async respond({ name, version }, request, signal) {
      const model = await models.load(name, version);
      return reportFailure(model, async (startedAt) => ({
        ...(await compute(
          model,
          request,
          preprocessingFor(model.preprocessing, requestedFit(request)),
          signal,
          startedAt,
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

function isSmall({ batch }: Decoded<unknown>, { layerSizes }: Pick<LoadedModel, 'layerSizes'>): boolean {
  const { count } = batch;
  return count <= MAX_INLINE_IMAGES && count * forwardCost(layerSizes) <= MAX_INLINE_MULTIPLY_ADDS;
}
