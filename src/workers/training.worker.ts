/** Thread entry: one training job, then the thread ends and its memory with it. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Progress } from '../domain/metrics.ts';
import { AtelierError } from '../errors.ts';
import { createReferenceEngine } from '../numerics/reference/engine.ts';
import { trainingLoop } from '../numerics/training-loop.ts';
import type { TrainingMessage, TrainingTask } from './messages.ts';
import { serializeError } from './serialize-error.ts';

const PROGRESS_INTERVAL_MS = 1000;

const port = parentPort!;
const { plan, train, test, stop } = workerData as TrainingTask;
const say = (message: TrainingMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

let step = 0;
try {
  run();
} catch (error) {
  say({ kind: 'failed', error: serializeError(error, 'worker-crashed'), step });
}

/** Drives the loop, and adds to what it says the time that the loop, being pure, does not know. */
function run(): void {
  const startedAt = performance.now();
  let saidAt = startedAt;
  let epoch = 1;
  let steps = 0;
  let images = 0;
  let [trainingMs, epochTrainingMs, evaluationMs] = [0, 0, 0];

  const progress = (): Progress => {
    const elapsedSeconds = (performance.now() - startedAt) / 1000;
    return {
      epoch,
      epochs: plan.epochs,
      step,
      steps,
      fraction: step / steps,
      imagesPerSecond: trainingMs > 0 ? images / (trainingMs / 1000) : null,
      etaSeconds: step > 0 ? (elapsedSeconds / step) * (steps - step) : null,
    };
  };

  const loop = trainingLoop(plan, train, test, createReferenceEngine);
  for (;;) {
    if (Atomics.load(stop, 0) !== 0) {
      say({ kind: 'stopped', step });
      return;
    }
    const before = performance.now();
    const { done, value } = loop.next();
    const now = performance.now();

    if (done) {
      const { parameters, engine, stoppedAt } = value;
      say({ kind: 'completed', parameters, engine, step: stoppedAt.step }, [
        parameters.buffer as ArrayBuffer,
      ]);
      return;
    }
    switch (value.kind) {
      case 'step': {
        ({ epoch, step, steps } = value);
        images += value.examples;
        trainingMs += now - before;
        epochTrainingMs += now - before;
        if (!Number.isFinite(value.loss)) throw diverged(epoch, step, `The loss became ${value.loss}`);
        if (now - saidAt >= PROGRESS_INTERVAL_MS) {
          saidAt = now;
          say({ kind: 'progress', progress: progress() });
        }
        break;
      }
      case 'evaluation':
        evaluationMs += now - before;
        break;
      case 'epoch': {
        for (const [name, measured] of Object.entries(value.metrics)) {
          // The loss of a batch may be finite while, on other images or squared, something is not.
          if (typeof measured === 'number' && !Number.isFinite(measured)) {
            throw diverged(epoch, step, `The ${name} became ${measured}`);
          }
        }
        evaluationMs += now - before;
        const record = { ...value.metrics, durationMs: epochTrainingMs, evaluationMs };
        say({ kind: 'epoch', record, progress: progress() });
        [epochTrainingMs, evaluationMs] = [0, 0];
        break;
      }
    }
  }
}

function diverged(epoch: number, step: number, what: string): AtelierError {
  return new AtelierError(
    'loss-diverged',
    `${what} in step ${step} (epoch ${epoch}) at a learning rate of ${plan.learningRate}. ` +
      'Lower training.optimizer.learningRate, by a factor of ten to begin with.',
  );
}
