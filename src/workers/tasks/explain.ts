/** Explanations of single images: occlusion map and input gradient. */

import type { Diagnosis } from '../../domain/predictions/diagnosis.ts';
import type { ExplainedImage } from '../../domain/predictions/explanation.ts';
import { AtelierError } from '../../errors.ts';
import { drawExplanation } from '../../formats/drawing/explanation.ts';
import type { Raster } from '../../formats/drawing/raster.ts';
import type { ReceivedImages } from '../../images/decode.ts';
import { decodeImages } from '../../images/decode.ts';
import type { ImageStatistics } from '../../numerics/diagnosis/image-statistics.ts';
import { inputGradient, sumChannels } from '../../numerics/explanation/input-gradient.ts';
import { occlusionMap } from '../../numerics/explanation/occlusion.ts';
import { argmax } from '../../numerics/reference/cross-entropy.ts';
import type { LoadedCalibration } from '../../protocols/codec.ts';
import { computeOutputs } from '../../protocols/compute-outputs.ts';
import { DIAGNOSIS, judgeDiagnoses } from '../../protocols/judge-diagnoses.ts';
import { diagnoseImages } from '../../protocols/native/diagnose-images.ts';
import { createForward, type ServedNetwork } from '../kernel/compile.ts';

/** Explains the prediction for a single image. */
export interface ExplanationTask {
  readonly network: ServedNetwork;
  readonly images: ReceivedImages;
  /** Class to explain; null for the predicted class. */
  readonly label: number | null;
  /** Statistics of the training images to compare with; null without `?diagnose`. */
  readonly diagnosing: ImageStatistics | null;
  /** Judges the image of a diagnosis; null if the version has none. */
  readonly calibration: LoadedCalibration | null;
}

export interface ExplanationResult {
  readonly explained: ExplainedImage;
  readonly drawing: Raster;
  readonly diagnosis: Diagnosis | null;
}

/**
 * @throws AtelierError `impossible-request` for several images or an unknown class, and for invalid images the errors of
 *   `decodeImages`
 */
export function explainImage(task: ExplanationTask): ExplanationResult {
  const { network, images, label, diagnosing, calibration } = task;
  const { parameters, classNames } = network;
  const { inputShape } = network.architecture;
  const batch = decodeImages(images, inputShape);
  const { count, pixels } = batch;
  if (count !== 1) {
    throw new AtelierError(
      'impossible-request',
      `${count} images were sent, but an explanation takes a single image. Send one image per request.`,
    );
  }
  const classes = classNames.length;
  if (label !== null && label >= classes) {
    const detail = `must be at most ${classes - 1}`;
    throw new AtelierError('impossible-request', `Class ${label} does not exist; label ${detail}.`, {
      details: [{ parameter: 'label', detail }],
    });
  }
  const forward = createForward(network);
  const outputs = computeOutputs(batch, forward, network, calibration && DIAGNOSIS, calibration);
  const { probabilities } = outputs;
  const predicted = argmax(probabilities);
  const explainedLabel = label ?? predicted;
  const occlusion = occlusionMap(forward, pixels, inputShape, explainedLabel, classes);
  const gradient = sumChannels(inputGradient(network, parameters, pixels, explainedLabel), inputShape);
  return {
    explained: {
      label: explainedLabel,
      predicted,
      probabilities,
      occlusion,
      gradient,
      width: inputShape[1],
    },
    drawing: drawExplanation(pixels, inputShape, occlusion, gradient),
    diagnosis:
      diagnosing && judgeDiagnoses(diagnoseImages(images, batch, inputShape, diagnosing), outputs)[0]!,
  };
}
