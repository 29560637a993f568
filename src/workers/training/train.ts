/** A run in its thread: checks the gradient, creates the engine, drives the loop, posts reports. */
import { selectionLoss } from '../../domain/training/selection-loss.ts';
import { AtelierError } from '../../errors.ts';
import { createEvaluatingEngine, type EvaluatingEngine } from '../../numerics/simd/evaluating-engine.ts';
import type { KernelHandle } from '../../numerics/simd/kernel-engine.ts';
import { trainingLoop } from '../../numerics/training/loop.ts';
import type {
  EpochEnd,
  LoopReply,
  TrainingPosition,
  TrainingStep,
} from '../../numerics/training/loop-events.ts';
import { type PreparedTraining, prepareTraining } from '../../numerics/training/prepare.ts';
import { encodeCheckpoint } from '../../store/checkpoints/encode.ts';
import type { Checkpoint } from '../../store/checkpoints/format.ts';
import { checkKernel, kernelModule, kernelOptions } from '../kernel/compile.ts';
import { serializeError } from '../threads/errors.ts';
import { createCheckpointSchedule } from './checkpoints.ts';
import { createTrainingClock } from './clock.ts';
import { preflightGradientCheck } from './gradient-check.ts';
import {
  type CheckpointBytes,
  CONTROL,
  type FinalMessage,
  type PostReport,
  type TrainingTask,
} from './messages.ts';
import { createTrainingReports } from './reports.ts';

/** Reading is loaded only for a job that resumes, because its schemas take 9 MiB. */
async function readCheckpoint(bytes: Uint8Array): Promise<Checkpoint> {
  const { decodeCheckpoint } = await import('../../store/checkpoints/decode.ts');
  return decodeCheckpoint(bytes);
}

/** Thrown before the first step if the job must stop. */
class StopRequested extends Error {}

/**
 * Trains until the training ends, fails or is stopped by `CONTROL.stop`.
 * @param shareKernel lets the step threads join the kernel
 */
export async function train(
  task: TrainingTask,
  postReport: PostReport,
  shareKernel: (kernel: KernelHandle) => void,
): Promise<FinalMessage> {
  const { plan, threads, train: examples, test, testOnce, control, budgetSeconds, stopAfterEpoch } = task;
  let position: Pick<TrainingPosition, 'epoch' | 'step'> = { epoch: 1, step: 0 };
  const reports = createTrainingReports(postReport);
  const { post } = reports;

  const isStopRequested = () => Atomics.load(control, CONTROL.stop) !== 0;

  function throwIfStopRequested(): void {
    if (isStopRequested()) throw new StopRequested();
  }

  /** @throws AtelierError `gradient-check-failed` */
  function checkGradient({ settings, initial }: PreparedTraining): void {
    const report = preflightGradientCheck(settings, initial, examples, throwIfStopRequested);
    post({ kind: 'gradient-check', report });
    if (report.passed) return;
    throw new AtelierError(
      'gradient-check-failed',
      `The gradient check before the training did not pass: ${report.reason}. ${report.advice} ` +
        'Set "gradientCheck": false to train without a check.',
    );
  }

  function createEngine({ settings, initial }: PreparedTraining): EvaluatingEngine {
    const engine = createEvaluatingEngine(kernelModule, settings, initial, { ...kernelOptions, threads });
    if (threads > 1) shareKernel(engine.createHandle(examples.pixels));
    return engine;
  }

  function drive(
    prepared: PreparedTraining,
    engine: EvaluatingEngine,
    from: Checkpoint | null,
  ): FinalMessage {
    const loop = trainingLoop(prepared, engine, from?.snapshot);
    const clock = createTrainingClock(plan.epochs, from ?? undefined);
    const checkpoints = createCheckpointSchedule(task, takeCheckpoint, post);
    let reply: LoopReply;
    let reached: TrainingPosition | undefined;
    let canSnapshot = false;
    if (from !== null && hasReachedStop(from))
      return { kind: 'stopped', step: position.step, isPlanned: true, checkpoint: null };
    for (;;) {
      Atomics.add(control, CONTROL.heartbeat, 1);
      if (canSnapshot && isStopRequested()) return finishStopped(null);
      const stepStartedAt = performance.now();
      const { done, value } = loop.next(reply);
      const now = performance.now();
      if (done) return { kind: 'completed', result: { ...value, fused: engine.fused }, step: position.step };
      const isBudgetSpent = budgetSeconds !== null && clock.elapsedSeconds() >= budgetSeconds;
      if (value.kind === 'step') afterStep(value, now - stepStartedAt, now);
      else clock.evaluation(now - stepStartedAt);
      if (value.kind === 'epoch') {
        // The budget may have been spent while the epoch was measured.
        afterEpoch({ ...value, isLast: value.isLast || isBudgetSpent }, now);
        if (value.epoch === stopAfterEpoch && !value.isLast)
          return finishStopped(selectionLoss(value.metrics));
      }
      canSnapshot = value.kind === 'step' || value.kind === 'epoch';
      reply = isBudgetSpent ? 'stop' : undefined;
    }

    function afterStep(done: TrainingStep, durationMs: number, now: number): void {
      reached = position = done;
      clock.step(done, durationMs);
      if (!Number.isFinite(done.loss)) throw diverged(`The loss became ${done.loss}`);
      reports.afterStep(now, () => clock.progress(done));
      checkpoints.afterStep(now);
    }

    function afterEpoch(end: EpochEnd, now: number): void {
      reached = position = end;
      const { metrics, warnings } = end;
      for (const [name, measured] of Object.entries(metrics)) {
        // A loss over other images, or a squared norm, may be non-finite even if the loss of every batch was finite.
        if (typeof measured === 'number' && !Number.isFinite(measured))
          throw diverged(`The ${name} became ${measured}`);
      }
      const record = { ...metrics, ...clock.epoch() };
      reports.afterEpoch(now, { record, warnings }, clock.progress(end));
      checkpoints.afterEpoch(end, now);
    }

    /** Does not count as the reply to the last event of the loop: that reply is still due. */
    function takeCheckpoint(loss: number | null): CheckpointBytes {
      const { done, value } = loop.next('snapshot');
      if (done || value.kind !== 'snapshot') throw new Error('The loop returned no snapshot.');
      const bytes = encodeCheckpoint({
        snapshot: value.snapshot,
        architecture: plan.architecture,
        activation: plan.activation,
        standardization: prepared.settings.standardization,
        fused: engine.fused,
        ...clock.stored(),
      });
      return { step: position.step, epoch: position.epoch, loss, bytes };
    }

    /** Whether a run before this one was interrupted between the checkpoint of the planned stop and the stop itself. */
    function hasReachedStop({ snapshot: { step, examples, end } }: Checkpoint): boolean {
      if (stopAfterEpoch === null || end !== null || examples > 0) return false;
      return step >= stopAfterEpoch * Math.ceil(prepared.split.train.length / plan.batchSize);
    }

    /** @param loss at the planned stop; null if the thread stops on request */
    function finishStopped(loss: number | null): FinalMessage {
      checkpoints.postPendingBest();
      const checkpoint = takeCheckpoint(loss);
      const isPlanned = loss !== null;
      // The progress of a stopped job is its checkpoint's. A planned stop follows the report of its epoch.
      if (!isPlanned && reached) reports.afterStop(clock.progress(reached));
      return { kind: 'stopped', step: position.step, isPlanned, checkpoint };
    }
  }

  function diverged(what: string): AtelierError {
    return new AtelierError(
      'loss-diverged',
      `${what} in step ${position.step} (epoch ${position.epoch}) at a learning rate of ${plan.learningRate}. ` +
        'Lower training.optimizer.learningRate, for example by a factor of ten.',
    );
  }

  let engine: EvaluatingEngine | undefined;
  try {
    checkKernel();
    const from = task.checkpoint && (await readCheckpoint(task.checkpoint));
    if (from !== null) position = { ...position, step: from.snapshot.step };
    const prepared = prepareTraining(plan, examples, test, testOnce);
    throwIfStopRequested();
    if (task.checkGradient) checkGradient(prepared);
    engine = createEngine(prepared);
    return drive(prepared, engine, from);
  } catch (error) {
    const { step } = position;
    if (error instanceof StopRequested) return { kind: 'stopped', step, isPlanned: false, checkpoint: null };
    if (error instanceof AtelierError) return { kind: 'failed', error: serializeError(error), step };
    throw error;
  } finally {
    reports.flush();
    engine?.shutdown();
  }
}
