/** Large bodies of images as bytes, predicted while they are arriving. */
import type { FastifyRequest } from 'fastify';
import { versionNameSchema } from '../../domain/models/reference.ts';
import { AtelierError } from '../../errors.ts';
import { type NpyHeader, readNpyHeader } from '../../formats/arrays/npy-header.ts';
import { findLayout } from '../../images/array-shape.ts';
import { type ImageShape, valueCount } from '../../numerics/network/image-shape.ts';
import { predictionQuerySchema } from '../../protocols/native/schema.ts';
import type { PredictionService } from '../../services/predictions/predict.ts';
import { MIN_BLOCK_BYTES, type PredictionStream } from '../../services/predictions/streamed-images.ts';
import { release } from '../../workers/threads/transfer.ts';
import { parseMediaType } from './raw.ts';
import type { OpenSink } from './read-bytes.ts';

/** A smaller body has arrived when a thread has predicted its first block. */
const MIN_STREAMED_BYTES = 2 * MIN_BLOCK_BYTES;
/** Options of a request that do not concern how its body is read. */
const RESPONSE_OPTIONS = ['topK', 'logits', 'coverage', 'calibrated'];

/**
 * Opens a stream only if the one error that the body can still have is an early end. All other requests are read as a whole,
 * and their errors are found then.
 */
export const createOpenStream =
  (predictions: Pick<PredictionService, 'stream'>): OpenSink<PredictionStream> =>
  (request, first, length) => {
    if (length < MIN_STREAMED_BYTES || !isPlain(request)) return undefined;
    const query = predictionQuerySchema.safeParse(request.query);
    const model = findModel(request.params as Params);
    const opened = model && query.success && predictions.stream(model, query.data);
    if (!opened) return undefined;
    const { inputShape } = opened.model.architecture;
    const start = findPixels(parseMediaType(request.headers['content-type']), first, length, inputShape);
    if (start === undefined) return undefined;
    opened.write(new Uint8Array(first.subarray(start)));
    release([first]);
    return opened;
  };

const isPlain = ({ query }: FastifyRequest) =>
  Object.keys(query as object).every((option) => RESPONSE_OPTIONS.includes(option));

interface Params {
  readonly name?: string;
  readonly version?: string;
}

function findModel({ name, version }: Params) {
  if (name === undefined || version === undefined) return name === undefined ? undefined : { name };
  const parsed = versionNameSchema.safeParse(version);
  return parsed.success ? { name, version: parsed.data } : undefined;
}

/** The offset of the first pixel, if all that follows are pixels. */
function findPixels(type: string, first: Uint8Array, length: number, image: ImageShape): number | undefined {
  if (type === 'application/octet-stream') return length % valueCount(image) === 0 ? 0 : undefined;
  const header = readHeader(first, length);
  if (header?.dtype !== 'u1' || header.fortranOrder) return undefined;
  return findLayout(header.shape, image, false)?.isPlanar === false ? header.dataOffset : undefined;
}

function readHeader(first: Uint8Array, length: number): NpyHeader | undefined {
  try {
    return readNpyHeader(first, length);
  } catch (error) {
    if (error instanceof AtelierError) return undefined;
    throw error;
  }
}
