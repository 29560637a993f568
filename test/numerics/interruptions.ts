/** Interrupted trainings, resumed from checkpoint bytes with a new engine. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createEvaluatingEngine } from '../../src/numerics/simd/evaluating-engine.ts';
import type { KernelEngine } from '../../src/numerics/simd/kernel-engine.ts';
import type { CreateEngine, Examples } from '../../src/numerics/training/engine.ts';
import type { LoopEvent, LoopReply, TrainingResult } from '../../src/numerics/training/loop-events.ts';
import type { TrainingPlan } from '../../src/numerics/training/plan.ts';
import type { TrainingSnapshot } from '../../src/numerics/training/snapshot.ts';
import { decodeCheckpoint } from '../../src/store/checkpoints/decode.ts';
import { encodeCheckpoint } from '../../src/store/checkpoints/encode.ts';
import { kernelModule } from './simd/cases.ts';
import { startLoop } from './start-loop.ts';

export interface Training {
  readonly plan: TrainingPlan;
  readonly train: Examples;
  readonly test: Examples;
}

export interface Outcome {
  /** All events except snapshots. */
  readonly events: LoopEvent[];
  readonly result: TrainingResult;
  readonly interruptions: number;
}

/**
 * Runs a training to its end. `isInterrupted` is called at each boundary: a step or the end of an epoch, counted
 * from 1. `answer` is the consumer's reply to an event; it is not sent if the training is interrupted there.
 */
export function runInterrupted(
  { plan, train, test }: Training,
  createEngine: CreateEngine,
  isInterrupted: (boundary: number, event: LoopEvent) => boolean = () => false,
  answer: (event: LoopEvent) => LoopReply = () => undefined,
): Outcome {
  const events: LoopEvent[] = [];
  let [boundaries, interruptions] = [0, 0];
  let loop = startLoop(plan, train, test, createEngine);
  let next = loop.next();
  while (!next.done) {
    const event = next.value;
    events.push(event);
    const isBoundary = event.kind === 'step' || event.kind === 'epoch';
    if (isBoundary && isInterrupted(++boundaries, event)) {
      interruptions++;
      const snapshot = roundTrip(plan, takeSnapshot(loop));
      loop = startLoop(plan, train, test, createEngine, snapshot);
      next = loop.next();
    } else {
      next = loop.next(answer(event));
    }
  }
  return { events, result: next.value, interruptions };
}

/** Takes a snapshot of a loop at a boundary. */
export function takeSnapshot(loop: ReturnType<typeof startLoop>): TrainingSnapshot {
  const { value } = loop.next('snapshot');
  if (value === undefined || !('kind' in value) || value.kind !== 'snapshot') {
    throw new Error('A loop at a boundary must return a snapshot.');
  }
  return value.snapshot;
}

function roundTrip({ architecture, activation }: TrainingPlan, snapshot: TrainingSnapshot) {
  const times = { elapsedSeconds: 1, epochTrainingMs: 2, evaluationMs: 3, images: 4, trainingMs: 5 };
  const network = {
    architecture,
    activation,
    standardization: null,
    fused: true,
  };
  return decodeCheckpoint(encodeCheckpoint({ snapshot, ...network, ...times })).snapshot;
}

export const createKernel: CreateEngine = (settings, initial) =>
  createEvaluatingEngine(kernelModule, settings, initial);

/** Creates kernels on two threads, for `pixels` in shared memory. `end` stops all of them. */
export function onTwoThreads(pixels: Uint8Array) {
  const engines: KernelEngine[] = [];
  const ends: Promise<unknown>[] = [];
  const create: CreateEngine = (settings, initial) => {
    const engine = createEvaluatingEngine(kernelModule, settings, initial, { threads: 2 });
    const worker = new Worker(new URL('simd/kernel-thread.ts', import.meta.url));
    worker.postMessage({ handle: engine.createHandle(pixels), rank: 1 });
    engines.push(engine);
    ends.push(once(worker, 'message').then(() => worker.terminate()));
    return engine;
  };
  return {
    create,
    async end() {
      for (const engine of engines) engine.shutdown();
      await Promise.all(ends);
    },
  };
}

export function inSharedMemory({ pixels, labels }: Examples): Examples {
  const shared = new Uint8Array(new SharedArrayBuffer(pixels.length));
  shared.set(pixels);
  return { pixels: shared, labels };
}
