/** Interface of a protocol: request body → batch of images, network outputs → response. */

import type { UsedCalibration } from '../domain/models/calibration.ts';
import type { VersionReference } from '../domain/models/reference.ts';
import type { Diagnosis } from '../domain/predictions/diagnosis.ts';
import type { ImageBatch } from '../images/batch.ts';
import type { EncodedImage } from '../images/sent.ts';
import type { Calibration } from '../numerics/calibration/fit.ts';
import type { Judgements } from '../numerics/calibration/judge.ts';
import type { Architecture } from '../numerics/network/architecture.ts';

/**
 * Translates between the wire format of one protocol and the network. A codec keeps no state: the main thread and the
 * predict thread run the same one, and `responseFormat` holds everything that `encode` needs from the request.
 *
 * `Body` is the request as its route passes it on, not yet parsed; it can be sent to a thread.
 * `Format` is what the request determines about its response, for example the requested outputs.
 */
export interface Codec<Body, Format> {
  /** @throws AtelierError if the body is malformed or its images are invalid */
  decode(body: Body, model: ServedModel): Decoded<Format> | WithEncodedImages<Format>;
  /** @throws AtelierError `impossible-request` if the protocol cannot express NaN and an output is NaN */
  encode(outputs: Outputs, responseFormat: Format, model: ServedModel): EncodedResponse;
}

/** The use that a request makes of the calibration of the version. */
export interface Guarantee {
  /** Fraction of images whose set of classes must contain the true one; null without sets. */
  readonly coverage: number | null;
  /** Whether the logits are divided by the temperature before the softmax. */
  readonly calibrated: boolean;
}

/** A calibration in memory, and its description for responses. */
export interface LoadedCalibration extends Calibration {
  readonly used: UsedCalibration;
  /** Digest of the arrays. */
  readonly digest: string;
}

export interface Decoded<Format> {
  readonly batch: ImageBatch;
  readonly responseFormat: Format;
  /** One per image, if the request is for diagnoses. */
  readonly diagnoses?: readonly Diagnosis[] | null;
  /** null without `coverage` and `calibrated`. */
  readonly guarantee?: Guarantee | null;
}

/** A body that holds encoded images. The main thread decodes them. */
export interface WithEncodedImages<Format> {
  readonly encoded: readonly EncodedImage[];
  readonly responseFormat: Format;
  readonly guarantee?: Guarantee | null;
}

/** One row per image: n × classes, row-major. */
export interface Outputs {
  readonly probabilities: Float32Array;
  readonly logits: Float32Array;
  /** Only with a guarantee. */
  readonly calibration?: UsedCalibration;
  /** Only with a coverage. */
  readonly judgements?: Judgements;
  /** One per image, if the request is for diagnoses. */
  readonly diagnoses?: readonly Diagnosis[] | null;
}

/** The version that predicts: what requests and responses depend on. */
export interface ServedModel {
  readonly reference: VersionReference;
  readonly architecture: Pick<Architecture, 'inputShape'>;
  readonly classNames: readonly string[];
}

export interface EncodedResponse {
  readonly body: string | Uint8Array;
  /** KServe v2 only: length of the JSON in front of binary tensors; null without any. */
  readonly jsonBytes: number | null;
}
