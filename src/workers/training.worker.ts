/** Thread entry: one training job, then the thread ends and its memory with it. */
import { parentPort, workerData } from 'node:worker_threads';
import { selectionLoss } from '../domain/epoch-record.ts';
import { AtelierError } from '../errors.ts';
import type { CreateEngine } from '../numerics/engine.ts';
import type {
  EpochEnd,
  LoopEvent,
  LoopReply,
  TrainingResult,
  TrainingStep,
} from '../numerics/loop-events.ts';
import type { Standardization } from '../numerics/network.ts';
import { createEvaluatingEngine, type EvaluatingEngine } from '../numerics/simd/evaluating-engine.ts';
import { trainingLoop } from '../numerics/training-loop.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../store/checkpoint-format.ts';
import { checkKernel, kernelModule } from './kernel.ts';
import {
  type CheckpointBytes,
  CONTROL,
  type ShareMessage,
  type TrainingTask,
  type WorkerMessage,
} from './messages.ts';
import { serializeError } from './outcome.ts';
import { preflightGradientCheck } from './preflight-gradient-check.ts';
import { createTrainingClock } from './training-clock.ts';

const PROGRESS_INTERVAL_MS = 1000;
/** Between two checkpoints at ends of epochs. */
const EPOCH_CHECKPOINT_INTERVAL_MS = 1000;

type Loop = ReturnType<typeof trainingLoop>;

const port = parentPort!;
const task = workerData as TrainingTask;
const { plan, threads, train, control } = task;
const say = (message: WorkerMessage | ShareMessage, transfer: ArrayBuffer[] = []) =>
  port.postMessage(message, transfer);

let engine: EvaluatingEngine | undefined;
let standardization: Standardization | null = null;
let at = { epoch: 1, step: 0, steps: 0 };
let times = createTrainingClock(plan.epochs);
let [saidAt, savedAt] = [performance.now(), performance.now()];
/** Since when the loop is at what it says next. */
let since = 0;
/** Of the best epoch since the start of this thread, where it came too soon after another to be stored. */
let unstored: CheckpointBytes | null = null;
let leastLoss = Number.POSITIVE_INFINITY;

try {
  checkKernel();
  run(task.checkpoint && decodeCheckpoint(task.checkpoint));
} catch (error) {
  say({ kind: 'failed', error: serializeError(error, 'worker-crashed'), step: at.step });
} finally {
  engine?.shutdown();
}

/** Drives the loop, tells what it says, and keeps what is needed to go on from where it is. */
function run(from: Checkpoint | null): void {
  if (from !== null) {
    times = createTrainingClock(plan.epochs, from);
    at.step = from.snapshot.step;
  }
  const loop = trainingLoop(plan, train, task.test, createEngine, from?.snapshot);
  let reply: LoopReply;
  // Whether the loop is where a snapshot can be taken of it.
  let isBetween = false;
  for (;;) {
    Atomics.add(control, CONTROL.heartbeat, 1);
    if (isToldToStop() && (isBetween || engine === undefined)) {
      stopHere(loop, isBetween);
      return;
    }
    since = performance.now();
    const { done, value } = loop.next(reply);
    const now = performance.now();
    if (done) {
      complete(value);
      return;
    }
    if (value.kind === 'step') afterStep(value, now - since, now);
    else times.evaluation(now - since);
    if (value.kind === 'epoch') afterEpoch(value);
    isBetween = value.kind === 'step' || value.kind === 'epoch';
    keep(loop, value, now);
    const { budgetSeconds } = task;
    reply = budgetSeconds !== null && times.elapsedSeconds() >= budgetSeconds ? 'stop' : undefined;
    if (from !== null && engine !== undefined) {
      warnOfOtherProcessor(from, engine);
      from = null;
    }
  }
}

function isToldToStop(): boolean {
  return Atomics.load(control, CONTROL.stop) !== 0;
}

/** Called by the loop once it knows what the engine is told: the last moment before the first step. */
function createEngine(...[settings, initial]: Parameters<CreateEngine>): EvaluatingEngine {
  if (task.checkGradient) {
    const report = preflightGradientCheck(settings, initial, train, () => {
      // For whoever told it to stop, a thread that ends is one that stopped.
      if (isToldToStop()) process.exit();
    });
    say({ kind: 'gradient-check', report });
    if (!report.passed) {
      throw new AtelierError(
        'gradient-check-failed',
        `The gradient check before the training did not pass: ${report.reason}. ${report.advice} ` +
          '"gradientCheck": false trains without one.',
      );
    }
    times.restart();
  }
  ({ standardization } = settings);
  engine = createEvaluatingEngine(kernelModule, settings, initial, { threads });
  if (threads > 1) say({ kind: 'share', share: engine.createHandle(train.pixels) });
  // All this is no part of the first step.
  since = performance.now();
  return engine;
}

function afterStep(done: TrainingStep, durationMs: number, now: number): void {
  at = done;
  times.step(done, durationMs);
  if (!Number.isFinite(done.loss)) throw diverged(`The loss became ${done.loss}`);
  if (now - saidAt < PROGRESS_INTERVAL_MS) return;
  saidAt = now;
  say({ kind: 'progress', progress: times.progress(at) });
}

function afterEpoch({ metrics, warnings }: EpochEnd): void {
  for (const [name, measured] of Object.entries(metrics)) {
    // The loss of a batch may be finite while, on other images or squared, something is not.
    if (typeof measured === 'number' && !Number.isFinite(measured))
      throw diverged(`The ${name} became ${measured}`);
  }
  say({ kind: 'epoch', record: { ...metrics, ...times.epoch() }, warnings, progress: times.progress(at) });
}

/** Stores where the loop is, or remembers it where it is the best so far and storing would come too often. */
function keep(loop: Loop, event: LoopEvent, now: number): void {
  if (event.kind === 'step') {
    if (isDue(now, task.checkpointEverySeconds * 1000)) store(checkpointOf(loop, null));
    return;
  }
  if (event.kind !== 'epoch') return;
  const loss = selectionLoss(event.metrics);
  const isBest = loss < leastLoss;
  if (isBest) {
    leastLoss = loss;
    unstored = null;
  }
  if (event.isLast || isDue(now, EPOCH_CHECKPOINT_INTERVAL_MS)) store(checkpointOf(loop, loss));
  else if (isBest) unstored = checkpointOf(loop, loss);
}

function isDue(now: number, intervalMs: number): boolean {
  return (
    now - savedAt >= intervalMs && Atomics.compareExchange(control, CONTROL.checkpointPending, 0, 1) === 0
  );
}

/** The best one first, if it waits. */
function store(checkpoint: CheckpointBytes): void {
  savedAt = performance.now();
  storeBest();
  say({ kind: 'checkpoint', ...checkpoint }, [checkpoint.bytes.buffer]);
}

function storeBest(): void {
  if (unstored) say({ kind: 'checkpoint', ...unstored }, [unstored.bytes.buffer]);
  unstored = null;
}

function stopHere(loop: Loop, isBetween: boolean): void {
  storeBest();
  const checkpoint = isBetween ? checkpointOf(loop, null) : null;
  say({ kind: 'stopped', step: at.step, checkpoint }, checkpoint ? [checkpoint.bytes.buffer] : []);
}

/** What the loop said last is unanswered still: the next reply is the one to it. */
function checkpointOf(loop: Loop, loss: number | null): CheckpointBytes {
  const { done, value } = loop.next('snapshot');
  if (done || value.kind !== 'snapshot') throw new Error('The loop gave no snapshot of itself');
  const { layerSizes, activation } = plan;
  const { fused } = engine!;
  const described = { snapshot: value.snapshot, layerSizes, activation, standardization, fused };
  const bytes = encodeCheckpoint({ ...described, ...times.stored() });
  return { step: at.step, epoch: at.epoch, loss, bytes };
}

function warnOfOtherProcessor(from: Checkpoint, { fused }: EvaluatingEngine): void {
  if (from.fused === fused) return;
  const message =
    'The checkpoint is of a processor that rounds multiply-adds otherwise: the final parameters will not be those of a ' +
    'training on one processor.';
  say({ kind: 'warning', warning: { code: 'other-processor', message } });
}

function complete(result: TrainingResult): void {
  const { fused } = engine!;
  const message = { kind: 'completed', result: { ...result, fused }, step: at.step } as const;
  say(message, [result.parameters.buffer as ArrayBuffer]);
}

function diverged(what: string): AtelierError {
  return new AtelierError(
    'loss-diverged',
    `${what} in step ${at.step} (epoch ${at.epoch}) at a learning rate of ${plan.learningRate}. ` +
      'Lower training.optimizer.learningRate, by a factor of ten to begin with.',
  );
}
