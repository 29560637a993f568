/** How long a training took and how fast it is, which the loop, being pure, does not know; goes on after an interruption. */
import type { Progress } from '../domain/epoch-record.ts';
import type { TrainingStep } from '../numerics/loop-events.ts';
import type { Checkpoint } from '../store/checkpoint-format.ts';

type Stored = Pick<
  Checkpoint,
  'elapsedSeconds' | 'images' | 'trainingMs' | 'epochTrainingMs' | 'evaluationMs'
>;

const ZERO: Stored = { elapsedSeconds: 0, images: 0, trainingMs: 0, epochTrainingMs: 0, evaluationMs: 0 };

/** @param epochs of the training as it was asked for */
export function createTrainingClock(epochs: number, from: Stored = ZERO) {
  let { images, trainingMs, epochTrainingMs, evaluationMs } = from;
  let startedAt = performance.now() - from.elapsedSeconds * 1000;
  const elapsedSeconds = () => (performance.now() - startedAt) / 1000;

  return {
    elapsedSeconds,
    /** What came before the first step is no part of the training. */
    restart() {
      startedAt = performance.now();
    },
    step({ examples }: TrainingStep, durationMs: number) {
      images += examples;
      trainingMs += durationMs;
      epochTrainingMs += durationMs;
    },
    evaluation(durationMs: number) {
      evaluationMs += durationMs;
    },
    /** Of the epoch that ended; the next one begins. */
    epoch() {
      const times = { durationMs: epochTrainingMs, evaluationMs };
      [epochTrainingMs, evaluationMs] = [0, 0];
      return times;
    },
    progress: ({ epoch, step, steps }: Pick<TrainingStep, 'epoch' | 'step' | 'steps'>): Progress => ({
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
