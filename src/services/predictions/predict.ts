/** Predicts the labels of images in all protocols: few images on the main thread, more in a worker thread. */

import type { VersionName, VersionReference } from '../../domain/models/reference.ts';
import type { Fit } from '../../domain/predictions/image-query.ts';
import { type Preprocessing, preprocessingFor } from '../../domain/predictions/preprocessing.ts';
import { decodeImages } from '../../images/decode.ts';
import type { SentImages } from '../../images/sent.ts';
import type {
  Decoded,
  EncodedResponse,
  Guarantee,
  LoadedCalibration,
  WithEncodedImages,
} from '../../protocols/codec.ts';
import { outlierCost } from '../../protocols/compute-outputs.ts';
import type { PhaseMs } from '../../protocols/compute-response.ts';
import { computeResponse } from '../../protocols/compute-response.ts';
import type { PredictionQuery } from '../../protocols/native/schema.ts';
import type { PredictionTally } from '../../protocols/prediction-tally.ts';
import {
  codecFor,
  type DecodedRequest,
  type NativeRequest,
  type PredictRequest,
  type ProtocolRequest,
  requestBuffers,
} from '../../protocols/protocol-map.ts';
import type { PredictionPool } from '../../workers/pools.ts';
import type { CalibrationService } from '../inspection/calibrations.ts';
import type { LoadStatistics } from '../inspection/statistics-cache.ts';
import { type ModelService, servedNetwork } from '../models/catalog.ts';
import type { LoadedModel } from '../models/loaded-version.ts';
import { MAX_INLINE_BYTES, type PrepareImages } from './prepare-images.ts';
import { PredictionStream } from './streamed-images.ts';
import { computeStreamResponse } from './streamed-response.ts';

/** Limits for the main thread: number of images, and multiply-adds of the kernel. */
const MAX_INLINE_IMAGES = 64;
const MAX_INLINE_MULTIPLY_ADDS = 4_000_000;

/** If `version` is omitted: the champion, or the newest version if the model has no champion. */
interface ModelRef {
  readonly name: string;
  readonly version?: VersionName;
}

/** A request of the native protocol. */
interface SentRequest {
  readonly protocol: 'native';
  readonly images: SentImages | PredictionStream;
  /** `diagnose` requires JSON. */
  readonly query: PredictionQuery;
  readonly format: NativeRequest['format'];
}

export interface PredictionResponse extends EncodedResponse {
  /** The version that predicted. */
  readonly model: VersionReference;
}

export type PredictionService = ReturnType<typeof createPredictionService>;

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

/** A request that is being processed. */
interface Work {
  readonly model: LoadedModel;
  /** How encoded images get the input shape. */
  readonly preprocessing: Preprocessing | null;
  readonly signal: () => AbortSignal;
  readonly startedAt: number;
  /** null until a request is known to need it, and for a diagnosis of a version that has none. */
  readonly calibration: LoadedCalibration | null;
}

export function createPredictionService(
  models: ModelService,
  pool: PredictionPool,
  loadStatistics: LoadStatistics,
  calibrations: Pick<CalibrationService, 'load' | 'loadIfAny'>,
  prepareImages: PrepareImages,
  { onPredicted, onFailed }: PredictionObserver,
) {
  async function computeNative(
    work: Work,
    sent: SentImages,
    { query, format }: SentRequest,
  ): Promise<EncodedResponse> {
    const { topK, logits, input, diagnose } = query;
    const images = await prepareImages(
      sent,
      work.preprocessing,
      work.model.architecture.inputShape,
      work.signal,
    );
    const imageStatistics = diagnose ? await loadStatistics(work.model, work.signal()) : null;
    const options = { topK, logits, input };
    const guarantee = requestedGuarantee(query);
    const request = { protocol: 'native', images, options, format, imageStatistics, guarantee } as const;
    if (guarantee) return compute(await withCalibration(work), request);
    const { reference } = work.model;
    const calibration = diagnose ? await calibrations.loadIfAny(reference, work.signal()) : null;
    return compute({ ...work, calibration }, request);
  }

  async function withCalibration(work: Work): Promise<Work> {
    return { ...work, calibration: await calibrations.load(work.model.reference, work.signal()) };
  }

  async function compute(work: Work, request: PredictRequest): Promise<EncodedResponse> {
    if (!fitsMainThread(request)) return computeInThread(work, request, 0);
    return computeRead(work, request.protocol, codecFor(request).decode(request, work.model), work.startedAt);
  }

  /** @param startedAt start of the decoding on this thread */
  async function computeRead(
    work: Work,
    protocol: PredictRequest['protocol'],
    read: Decoded<unknown> | WithEncodedImages<unknown>,
    startedAt: number,
  ): Promise<EncodedResponse> {
    if (!('encoded' in read)) return computeDecoded(work, { protocol, decoded: read }, startedAt);
    const { encoded, responseFormat } = read;
    const sent: SentImages = { kind: 'parts', parts: encoded, names: null };
    const images = await prepareImages(
      sent,
      work.preprocessing,
      work.model.architecture.inputShape,
      work.signal,
    );
    const batch = decodeImages(images, work.model.architecture.inputShape);
    const decoded = { batch, responseFormat, guarantee: read.guarantee ?? null };
    return computeDecoded(work, { protocol, decoded }, startedAt);
  }

  async function computeDecoded(
    work: Work,
    request: DecodedRequest,
    startedAt: number,
  ): Promise<EncodedResponse> {
    if (request.decoded.guarantee && work.calibration === null) {
      return computeDecoded(await withCalibration(work), request, startedAt);
    }
    const { model, calibration } = work;
    const decodedAt = performance.now();
    const decode = decodedAt - startedAt;
    const { decoded } = request;
    if (!isSmall(decoded, model, calibration)) return computeInThread(work, request, decode);
    const codec = codecFor(request);
    const { response, tally, compute, serialise } = computeResponse(
      codec,
      decoded,
      model.forward,
      model,
      decodedAt,
      calibration,
    );
    onPredicted(model.reference, decoded.batch.count, { wait: 0, decode, compute, serialise }, tally);
    return response;
  }

  /** @param decodeMs time of decoding on this thread */
  async function computeInThread(
    work: Work,
    request: PredictRequest | DecodedRequest,
    decodeMs: number,
  ): Promise<EncodedResponse> {
    const startedAt = performance.now();
    // The body is no longer needed on this thread, so it is transferred instead of copied.
    const result = await pool.run(
      'predict',
      { network: servedNetwork(work.model), request, calibration: work.calibration },
      work.signal(),
      requestBuffers(request),
    );
    if (!('body' in result)) return computeRead(work, request.protocol, result, startedAt);
    const { body, jsonBytes, images, tally, ms } = result;
    const wait = performance.now() - startedAt - ms.decode - ms.compute - ms.serialise;
    onPredicted(work.model.reference, images, { ...ms, wait, decode: decodeMs + ms.decode }, tally);
    // Structured clone turns a Buffer into a plain Uint8Array.
    return { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), jsonBytes };
  }

  async function computeStream(
    { model, signal }: Work,
    images: PredictionStream,
    { query, format }: SentRequest,
  ): Promise<EncodedResponse> {
    const computed = await computeStreamResponse(pool, images, query, format, signal());
    onPredicted(model.reference, computed.images, computed.ms, computed.tally);
    return computed.response;
  }

  function computeRequest(work: Work, request: SentRequest | ProtocolRequest): Promise<EncodedResponse> {
    if (request.protocol !== 'native') return compute(work, request);
    const { images } = request;
    if (images instanceof PredictionStream) return computeStream(work, images, request);
    return computeNative(work, images, request);
  }

  /** Reports failures, and names the version. */
  async function respondWith(
    model: LoadedModel,
    request: SentRequest | ProtocolRequest,
    signal: () => AbortSignal,
  ): Promise<PredictionResponse> {
    const startedAt = performance.now();
    const preprocessing = preprocessingFor(model.preprocessing, requestedFit(request));
    const work = { model, preprocessing, signal, startedAt, calibration: null };
    try {
      const { body, jsonBytes } = await computeRequest(work, request);
      return { body, jsonBytes, model: model.reference };
    } catch (error) {
      onFailed(model.reference, performance.now() - startedAt);
      throw error;
    }
  }

  return {
    /**
     * Predicts in any protocol.
     * @param model not used for streamed images: they have one already
     * @param signal called only if the request must wait
     * @throws AtelierError `model-not-found`, `checkpoint-not-found`, and the errors of the codec, of `PrepareImages`, of
     *   `LoadStatistics`, of `CalibrationService.load` and of the pool
     */
    async respond(
      { name, version }: ModelRef,
      request: SentRequest | ProtocolRequest,
      signal: () => AbortSignal,
    ): Promise<PredictionResponse> {
      // The version with which streamed images began predicts all of them, although an alias may have moved.
      const streamed = request.protocol === 'native' && request.images;
      const model = streamed instanceof PredictionStream ? streamed.model : await models.load(name, version);
      return respondWith(model, request, signal);
    },

    /**
     * Begins to predict images that are about to arrive, and continues while they are arriving.
     * @returns undefined if the version is not in memory
     */
    stream({ name, version }: ModelRef, query: PredictionQuery) {
      const model = models.loaded(name, version);
      if (model === undefined) return undefined;
      const load = (signal: AbortSignal) => calibrations.load(model.reference, signal);
      return new PredictionStream(pool, model, requestedGuarantee(query), load);
    },
  };
}

function requestedGuarantee({ coverage, calibrated }: PredictionQuery): Guarantee | null {
  return coverage !== undefined || calibrated ? { coverage: coverage ?? null, calibrated } : null;
}

/** KServe v2 accepts numbers only. */
function requestedFit(request: SentRequest | ProtocolRequest): Fit {
  if (request.protocol === 'native') return request.query.fit;
  return 'fit' in request ? request.fit : undefined;
}

/** Diagnosis always runs in a worker, because it takes longer than prediction. */
function fitsMainThread(request: PredictRequest): boolean {
  if (request.protocol === 'native' && request.imageStatistics) return false;
  return requestBuffers(request).reduce((sum, { byteLength }) => sum + byteLength, 0) <= MAX_INLINE_BYTES;
}

function isSmall(
  { batch: { count }, guarantee }: Decoded<unknown>,
  { multiplyAdds }: Pick<LoadedModel, 'multiplyAdds'>,
  calibration: LoadedCalibration | null,
): boolean {
  const isCompared = calibration !== null && (guarantee?.coverage ?? null) !== null;
  const cost = multiplyAdds + (isCompared ? outlierCost(calibration) : 0);
  return count <= MAX_INLINE_IMAGES && count * cost <= MAX_INLINE_MULTIPLY_ADDS;
}
