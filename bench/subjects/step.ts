/** Either of Atelier's engines behind one signature. */
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { BatchSums, Examples } from '../../src/numerics/engine.ts';
import { initializeUniformFanIn } from '../../src/numerics/initialize.ts';
import { createReferenceEngine } from '../../src/numerics/reference/engine.ts';
import { createKernelEngine } from '../../src/numerics/simd/engine.ts';
import type { EngineSettings, StepPosition } from '../../src/numerics/simd/settings.ts';

const KERNEL = new URL('../../src/numerics/simd/kernel.wasm', import.meta.url);
const SEED = 1;

export interface StepSettings {
  readonly layerSizes: readonly number[];
  readonly batchSize: number;
  readonly momentum: number;
  readonly dropout: number;
}

export interface Stepper {
  step(examples: Examples, batch: Uint32Array, position: StepPosition, sums: BatchSums): void;
  quit(): void;
}

export function createReferenceStepper({ layerSizes, batchSize, momentum, dropout }: StepSettings): Stepper {
  if (momentum + dropout > 0) throw new RangeError('the reference has neither momentum nor dropout yet');
  const initial = initializeUniformFanIn(layerSizes, SEED);
  const engine = createReferenceEngine({ layerSizes, batchSize, l2: 0 }, initial);
  return {
    step: (examples, batch, { learningRate }, sums) => engine.step(examples, batch, learningRate, sums),
    quit() {},
  };
}

/** @param pixels those of all steps */
export function createKernelStepper(settings: StepSettings, threads: number, pixels: Uint8Array): Stepper {
  const { layerSizes, batchSize, momentum, dropout } = settings;
  const engineSettings: EngineSettings = {
    layerSizes,
    batchSize,
    seed: SEED,
    activation: 'relu',
    optimizer: { type: 'sgd', momentum, nesterov: false, weightDecay: 0 },
    l1: 0,
    l2: 0,
    dropout,
    labelSmoothing: 0,
    clipNorm: null,
    classWeights: null,
    standardization: null,
    augmentation: { horizontalFlip: false, shift: 0, noise: 0, erase: 0 },
  };
  const module = new WebAssembly.Module(readFileSync(KERNEL));
  const initial = initializeUniformFanIn(layerSizes, SEED);
  const engine = createKernelEngine(module, engineSettings, initial, { threads });
  const share = engine.share(pixels);
  for (let rank = 1; rank < threads; rank++) {
    new Worker(new URL('./kernel-thread.ts', import.meta.url), { workerData: { share, rank } });
  }
  return engine;
}
