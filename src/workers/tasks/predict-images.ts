/** Predictions for a split or a large array, written to a file as they are computed. */

import { closeSync, openSync, writeFileSync } from 'node:fs';
import { openImageArray } from '../../datasets/upload/arrays/large-images.ts';
import type { PredictionCounts } from '../../domain/predictions/job.ts';
import { npyBytes, npyHeader } from '../../formats/arrays/npy.ts';
import type { PixelScale } from '../../images/pixel-range.ts';
import {
  addJudgements,
  type JudgementTally,
  judgementRows,
  tallyJudgements,
} from '../../numerics/calibration/judge.ts';
import type { Labels } from '../../numerics/examples/labels.ts';
import { valueCount } from '../../numerics/network/image-shape.ts';
import { argmax } from '../../numerics/reference/cross-entropy.ts';
import { kernelCost } from '../../numerics/simd/layers-layout.ts';
import type { Examples, Pixels } from '../../numerics/training/engine.ts';
import type { LoadedCalibration } from '../../protocols/codec.ts';
import { computeOutputs } from '../../protocols/compute-outputs.ts';
import { tallyPredictions } from '../../protocols/prediction-tally.ts';
import { isDiskFull, storageFull } from '../../store/blobs/directory.ts';
import { createForward, type ServedNetwork } from '../kernel/compile.ts';
import { MAX_CHUNK_IMAGES } from './chunk.ts';

/** Predicts all images of a job. */
export interface PredictionTask {
  readonly network: ServedNetwork;
  readonly input:
    | {
        /** In shared memory. */
        readonly examples: Examples;
        /** The new file for their labels. */
        readonly labelsTarget: string;
      }
    | {
        /** A checked array of images. */
        readonly path: string;
        readonly scale: PixelScale;
      };
  /** The new file for the probabilities. */
  readonly target: string;
  /** The new file for the sets of classes, with what they need; null without a coverage. */
  readonly judging: {
    readonly calibration: LoadedCalibration;
    readonly coverage: number;
    readonly target: string;
  } | null;
  /** A shared cell with the number of images predicted so far. */
  readonly progress: Int32Array;
}

/** Limit of a chunk beside MAX_CHUNK_IMAGES; takes about a fifth of a second. */
const MAX_CHUNK_COST = 2e9;

/** The counts of all images. */
export interface PredictedImages extends PredictionCounts {
  /** null without a coverage */
  readonly judged: JudgementTally | null;
}

type ReadPixels = (start: number, end: number) => Pixels | Promise<Pixels>;

/**
 * Writes the (n, classes) float32 matrix of probabilities as npy, the true labels of a data set as (n) uint8, uint16 above 256 classes, and the sets of
 * classes as (n, classes + 1) uint8.
 * @throws AtelierError `storage-full`
 */
export function predictImages(task: PredictionTask): Promise<PredictedImages> {
  return predictInput(task).catch((error) => {
    throw isDiskFull(error) ? storageFull('the predictions', error) : error;
  });
}

async function predictInput(task: PredictionTask): Promise<PredictedImages> {
  const { input } = task;
  const { inputShape } = task.network.architecture;
  const values = valueCount(inputShape);
  if ('examples' in input) {
    const { pixels, labels } = input.examples;
    writeFileSync(input.labelsTarget, npyBytes(labels.slice(), [labels.length]), { flag: 'wx' });
    const read: ReadPixels = (start, end) => pixels.subarray(start * values, end * values);
    return predictAll(task, labels.length, read, labels);
  }
  await using array = await openImageArray(input.path, inputShape);
  const read: ReadPixels = async (start, end) => (await array.decode(start, end, input.scale)).pixels;
  return await predictAll(task, array.images, read, null);
}

async function predictAll(
  { network, target, progress, judging }: PredictionTask,
  images: number,
  read: ReadPixels,
  labels: Labels | null,
): Promise<PredictedImages> {
  const forward = createForward(network);
  const classes = network.classNames.length;
  const counts = new Array<number>(classes).fill(0);
  const guarantee = judging && { coverage: judging.coverage, calibrated: false };
  let correct = 0;
  let tally: JudgementTally | null = null;
  const affordable = Math.floor(MAX_CHUNK_COST / kernelCost(network.architecture));
  const size = Math.max(1, Math.min(MAX_CHUNK_IMAGES, affordable));
  const file = openSync(target, 'wx');
  const judged = judging && openSync(judging.target, 'wx');
  try {
    writeFileSync(file, npyHeader('<f4', [images, classes]));
    if (judged !== null) writeFileSync(judged, npyHeader('|u1', [images, classes + 1]));
    for (let start = 0; start < images; start += size) {
      const end = Math.min(start + size, images);
      const pixels = await read(start, end);
      const batch = { count: end - start, pixels };
      const { probabilities, judgements } = computeOutputs(
        batch,
        forward,
        network,
        guarantee,
        judging?.calibration ?? null,
      );
      if (judgements !== undefined && judged !== null) {
        writeFileSync(judged, judgementRows(judgements, classes));
        const chunk: JudgementTally = tallyJudgements(judgements);
        tally = tally === null ? chunk : addJudgements(tally, chunk);
      }
      writeFileSync(file, new Uint8Array(probabilities.buffer));
      for (const [label, count] of tallyPredictions(probabilities, classes).classes.entries())
        counts[label]! += count;
      for (let n = start; labels !== null && n < end; n++) {
        const row = (n - start) * classes;
        if (argmax(probabilities.subarray(row, row + classes)) === labels[n]) correct++;
      }
      Atomics.store(progress, 0, end);
    }
  } finally {
    closeSync(file);
    if (judged !== null) closeSync(judged);
  }
  return {
    classes: counts,
    correct: labels === null ? null : correct,
    unsure: tally && images - tally.counts.sure,
    judged: tally,
  };
}
