/** Thread entry: one training job, then the thread ends and its memory with it. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Progress } from '../domain/metrics.ts';
import { AtelierError } from '../errors.ts';
import type { CreateEngine } from '../numerics/engine.ts';
import { createMeasuringEngine, type MeasuringEngine } from '../numerics/simd/measuring-engine.ts';
import type { EpochEnd, TrainingResult, TrainingStep } from '../numerics/training-events.ts';
import { trainingLoop } from '../numerics/training-loop.ts';
import { checkBeforeTraining } from './check-before-training.ts';
import { checkKernel, kernelModule } from './kernel.ts';
import type { ShareMessage, TrainingMessage, TrainingTask } from './messages.ts';
import { serializeError } from './serialize-error.ts';

const PROGRESS_INTERVAL_MS = 1000;

const port = parentPort!;
const { plan, threads, checkGradient, budgetSeconds, train, test, stop } = workerData as TrainingTask;
const say = (message: TrainingMessage | ShareMessage, transfer: ArrayBuffer[] = []) =>
  port.postMessage(message, transfer);

let engine: MeasuringEngine | undefined;
let [epoch, step, steps, images] = [1, 0, 0, 0];
let [trainingMs, epochTrainingMs, evaluationMs] = [0, 0, 0];
let [startedAt, saidAt] = [0, 0];

try {
  checkKernel();
  run();
} catch (error) {
  say({ kind: 'failed', error: serializeError(error, 'worker-crashed'), step });
} finally {
  engine?.quit();
}

/** Drives the loop, and adds to what it says the time that the loop, being pure, does not know. */
function run(): void {
  startedAt = saidAt = performance.now();
  const loop = trainingLoop(plan, train, test, createEngine);
  let reply: 'stop' | undefined;
  for (;;) {
    if (Atomics.load(stop, 0) !== 0) {
      say({ kind: 'stopped', step });
      return;
    }
    const before = performance.now();
    const { done, value } = loop.next(reply);
    const now = performance.now();
    if (done) {
      complete(value);
      return;
    }
    reply = budgetSeconds !== null && now - startedAt >= budgetSeconds * 1000 ? 'stop' : undefined;
    if (value.kind === 'step') afterStep(value, now - before, now);
    else evaluationMs += now - before;
    if (value.kind === 'epoch') afterEpoch(value);
  }
}

/** Called by the loop once it knows what the engine is told: the last moment before the first step. */
function createEngine(...[settings, initial]: Parameters<CreateEngine>): MeasuringEngine {
  if (checkGradient) {
    const report = checkBeforeTraining(settings, initial, train);
    say({ kind: 'gradient-check', report });
    if (!report.passed) {
      throw new AtelierError(
        'gradient-check-failed',
        `The gradient check before the training did not pass: ${report.reason}. ${report.advice} ` +
          '"gradientCheck": false trains without one.',
      );
    }
    startedAt = performance.now();
  }
  engine = createMeasuringEngine(kernelModule, settings, initial, { threads });
  if (threads > 1) say({ kind: 'share', share: engine.share(train.pixels) });
  return engine;
}

function progress(): Progress {
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
}

function afterStep(done: TrainingStep, durationMs: number, now: number): void {
  ({ epoch, step, steps } = done);
  images += done.examples;
  trainingMs += durationMs;
  epochTrainingMs += durationMs;
  if (!Number.isFinite(done.loss)) throw diverged(`The loss became ${done.loss}`);
  if (now - saidAt < PROGRESS_INTERVAL_MS) return;
  saidAt = now;
  say({ kind: 'progress', progress: progress() });
}

function afterEpoch({ metrics, warnings }: EpochEnd): void {
  for (const [name, measured] of Object.entries(metrics)) {
    // The loss of a batch may be finite while, on other images or squared, something is not.
    if (typeof measured === 'number' && !Number.isFinite(measured))
      throw diverged(`The ${name} became ${measured}`);
  }
  const record = { ...metrics, durationMs: epochTrainingMs, evaluationMs };
  say({ kind: 'epoch', record, warnings, progress: progress() });
  [epochTrainingMs, evaluationMs] = [0, 0];
}

function complete(result: TrainingResult): void {
  const { fused } = engine!;
  say({ kind: 'completed', result: { ...result, fused }, step }, [result.parameters.buffer as ArrayBuffer]);
}

function diverged(what: string): AtelierError {
  return new AtelierError(
    'loss-diverged',
    `${what} in step ${step} (epoch ${epoch}) at a learning rate of ${plan.learningRate}. ` +
      'Lower training.optimizer.learningRate, by a factor of ten to begin with.',
  );
}
