/** Both engines of Atelier behind one interface. */

import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Architecture } from '../../src/numerics/network/architecture.ts';
import { initializeUniformFanIn } from '../../src/numerics/network/initialize.ts';
import { createReferenceEngine } from '../../src/numerics/reference/reference-engine.ts';
import { createKernelEngine } from '../../src/numerics/simd/kernel-engine.ts';
import {
  type BatchSums,
  type EngineSettings,
  type Examples,
  PLAIN_SETTINGS,
  type StepPosition,
} from '../../src/numerics/training/engine.ts';
import { vectorOptions } from '../../src/tuning/wide-vectors.ts';

const KERNEL = new URL('../../src/numerics/simd/kernel.wasm', import.meta.url);
const SEED = 1;

export interface StepSettings {
  readonly architecture: Architecture;
  readonly batchSize: number;
  readonly momentum: number;
  readonly dropout: number;
}

export interface Stepper {
  step(examples: Examples, batch: Uint32Array, position: StepPosition, sums: BatchSums): void;
  shutdown(): void;
}

function engineSettings({ architecture, batchSize, momentum, dropout }: StepSettings): EngineSettings {
  return {
    ...PLAIN_SETTINGS,
    architecture,
    batchSize,
    seed: SEED,
    optimizer: { type: 'sgd', momentum, nesterov: false, weightDecay: 0 },
    dropout,
  };
}

export function createReferenceStepper(settings: StepSettings): Stepper {
  const initial = initializeUniformFanIn(settings.architecture, SEED);
  const engine = createReferenceEngine(engineSettings(settings), initial);
  return { step: engine.step, shutdown() {} };
}

/** @param pixels pixels of all steps, in shared memory */
export function createKernelStepper(settings: StepSettings, threads: number, pixels: Uint8Array): Stepper {
  const module = new WebAssembly.Module(readFileSync(KERNEL));
  const initial = initializeUniformFanIn(settings.architecture, SEED);
  const engine = createKernelEngine(module, engineSettings(settings), initial, {
    threads,
    ...vectorOptions(),
  });
  const handle = engine.createHandle(pixels);
  for (let rank = 1; rank < threads; rank++) {
    new Worker(new URL('./kernel-thread.ts', import.meta.url), { workerData: { handle, rank } });
  }
  return engine;
}
