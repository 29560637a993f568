/** Durations and speed of a training. They continue from the checkpoint on a resume. */
import type { Progress } from '../../domain/jobs/epoch-record.ts';
import type { TrainingPosition, TrainingStep } from '../../numerics/training/loop-events.ts';
import type { Checkpoint } from '../../store/checkpoints/format.ts';

type Stored = Pick<
  Checkpoint,
  'elapsedSeconds' | 'images' | 'trainingMs' | 'epochTrainingMs' | 'evaluationMs'
>;

const ZERO: Stored = { elapsedSeconds: 0, images: 0, trainingMs: 0, epochTrainingMs: 0, evaluationMs: 0 };

/**
 * Starts the clock. Call it after data preparation and the gradient check: these do not count.
 * @param epochs as requested
 * @param from the durations in the checkpoint that the training continues from
 */
export function createTrainingClock(epochs: number, from: Stored = ZERO) {
  let { images, trainingMs, epochTrainingMs, evaluationMs } = from;
  const startedAt = performance.now() - from.elapsedSeconds * 1000;
  const elapsedSeconds = () => (performance.now() - startedAt) / 1000;

  return {
    elapsedSeconds,
    step({ examples }: TrainingStep, durationMs: number) {
      images += examples;
      trainingMs += durationMs;
      epochTrainingMs += durationMs;
    },
    evaluation(durationMs: number) {
      evaluationMs += durationMs;
    },
    /** Durations of the epoch that has ended; starts the next epoch at 0. */
    epoch() {
      const times = { durationMs: epochTrainingMs, evaluationMs };
      [epochTrainingMs, evaluationMs] = [0, 0];
      return times;
    },
    progress: ({ epoch, step, steps }: TrainingPosition): Progress => ({
      epoch,
      epochs,
      step,
      steps,
      fraction: step / steps,
      imagesPerSecond: trainingMs > 0 ? images / (trainingMs / 1000) : null,
      etaSeconds: step > 0 ? (elapsedSeconds() / step) * (steps - step) : null,
    }),
    stored: (): Stored => ({
      elapsedSeconds: elapsedSeconds(),
      images,
      trainingMs,
      epochTrainingMs,
      evaluationMs,
    }),
  };
}
