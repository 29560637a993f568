/** The supported protocols. A new one needs a line here, a folder and a route. */
import { bufferViews } from '../images/decode.ts';
import type { Codec, Decoded } from './codec.ts';
import { kserveV2Codec } from './kserve-v2/codec.ts';
import { mlflowCodec } from './mlflow/codec.ts';
import { nativeCodec } from './native/codec.ts';
import { tensorflowCodec } from './tensorflow/codec.ts';

const CODECS = {
  native: nativeCodec,
  'kserve-v2': kserveV2Codec,
  tensorflow: tensorflowCodec,
  mlflow: mlflowCodec,
} as const satisfies Record<string, Codec<never, unknown>>;

type Codecs = typeof CODECS;

/** A prediction request that is not yet decoded: the tag of its protocol and the body for that codec. */
export type PredictRequest = {
  [P in keyof Codecs]: { readonly protocol: P } & Parameters<Codecs[P]['decode']>[0];
}[keyof Codecs];

/** A prediction request whose images are decoded. */
export interface DecodedRequest {
  readonly protocol: keyof Codecs;
  readonly decoded: Decoded<unknown>;
}

export type NativeRequest = Extract<PredictRequest, { readonly protocol: 'native' }>;
export type ProtocolRequest = Exclude<PredictRequest, NativeRequest>;

/** The codec of the request's protocol. The tag guarantees that the body has the type that the codec decodes. */
export function codecFor({ protocol }: Pick<PredictRequest, 'protocol'>): Codec<PredictRequest, unknown> {
  const codec: Codec<never, unknown> = CODECS[protocol];
  return codec;
}

/** Views of the buffers that hold a request. */
export function requestBuffers(request: PredictRequest | DecodedRequest): ArrayBufferView[] {
  if ('decoded' in request) return [request.decoded.batch.pixels];
  return request.protocol === 'native' ? bufferViews(request.images) : [request.bytes];
}
