/**
 * Compares training by the kernel with NumPy, alternating, so that other load affects both: `node bench/kernel.ts [ROUNDS]`.
 * Prints medians of images per second. NumPy has one thread, and its BLAS detects the processor itself.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { Worker } from 'node:worker_threads';
import { loadFashionMnist } from '../src/datasets/fashion-mnist.ts';
import { shuffleEpoch } from '../src/numerics/examples/batches.ts';
import { initializeUniformFanIn } from '../src/numerics/network/initialize.ts';
import { createKernelEngine } from '../src/numerics/simd/kernel-engine.ts';
import { createKernelForward } from '../src/numerics/simd/kernel-forward.ts';
import { PLAIN_SETTINGS } from '../src/numerics/training/engine.ts';
import { widenVectors } from '../src/tuning/wide-vectors.ts';
import { dense } from '../test/support/dense.ts';

const DATA = new URL('../data/', import.meta.url).pathname;
const KERNEL = new URL('../src/numerics/simd/kernel.wasm', import.meta.url);
const EPOCHS = 3;

interface Case {
  readonly hidden: string;
  readonly batch: number;
  readonly momentum: number;
  readonly dropout: number;
}

const CASES: readonly Case[] = [
  { hidden: '40', batch: 64, momentum: 0, dropout: 0 },
  { hidden: '40', batch: 256, momentum: 0, dropout: 0 },
  { hidden: '512-256', batch: 128, momentum: 0.9, dropout: 0.2 },
];

/** Runs in a separate process: best images per second of all epochs but the first: it warms up. */
async function train({ hidden, batch, momentum, dropout }: Case, threads: number): Promise<number> {
  const { train: examples } = await loadFashionMnist(DATA);
  const architecture = dense([784, ...hidden.split('-').map(Number), 10]);
  const engine = createKernelEngine(
    new WebAssembly.Module(readFileSync(KERNEL)),
    {
      ...PLAIN_SETTINGS,
      architecture,
      batchSize: batch,
      seed: 1,
      optimizer: { type: 'sgd', momentum, nesterov: false, weightDecay: 0 },
      dropout,
    },
    initializeUniformFanIn(architecture, 1),
    { threads, wide: process.argv[2] === 'wide' },
  );
  for (let rank = 1; rank < threads; rank++) {
    const workerData = { handle: engine.createHandle(examples.pixels), rank };
    new Worker(new URL('./subjects/kernel-thread.ts', import.meta.url), { workerData });
  }
  const all = Uint32Array.from(examples.labels.keys());
  const order = new Uint32Array(all.length);
  const steps = Math.floor(order.length / batch);
  const sums = { loss: 0, correct: 0 };
  const rates: number[] = [];
  for (let epoch = 1; epoch <= EPOCHS; epoch++) {
    shuffleEpoch(order, all, 1, epoch);
    const started = performance.now();
    for (let s = 0; s < steps; s++) {
      const position = { epoch, start: s * batch, learningRate: 0.02, measureNorm: s === steps - 1 };
      engine.step(examples, order.subarray(s * batch, (s + 1) * batch), position, sums);
    }
    rates.push((steps * batch) / ((performance.now() - started) / 1000));
  }
  engine.shutdown();
  return Math.max(...rates.slice(1));
}

/** Microseconds of one image's forward pass, 784-40-10. */
async function predictOne(): Promise<number> {
  const { test } = await loadFashionMnist(DATA);
  const architecture = dense([784, 40, 10]);
  const module = new WebAssembly.Module(readFileSync(KERNEL));
  const kernel = createKernelForward(
    module,
    architecture,
    'relu',
    initializeUniformFanIn(architecture, 1),
    null,
    {
      wide: process.argv[2] === 'wide',
    },
  );
  const [logits, probabilities] = [new Float32Array(10), new Float32Array(10)];
  const images = Array.from({ length: 1000 }, (_, n) => test.pixels.subarray(n * 784, (n + 1) * 784));
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 100; round++) {
    const started = performance.now();
    for (const image of images) kernel.forward(logits, probabilities, image);
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

function child(vectors: 'narrow' | 'wide', what: unknown): number {
  const script = new URL(import.meta.url).pathname;
  return Number(execFileSync(process.execPath, [script, vectors, JSON.stringify(what)]));
}

function numpy({ hidden, batch, momentum, dropout }: Case): number {
  const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, ...env } = process.env;
  const script = new URL('numpy_training.py', import.meta.url).pathname;
  const text = execFileSync(
    '/usr/bin/python3',
    [script, DATA, hidden, String(batch), String(EPOCHS), String(momentum), String(dropout)],
    { env: { ...env, OPENBLAS_NUM_THREADS: '1' } },
  );
  const { imagesPerSecond } = JSON.parse(text.toString()) as { imagesPerSecond: number[] };
  return Math.max(...imagesPerSecond.slice(1));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function compare(each: Case, rounds: number): void {
  const contenders: Record<string, () => number> = {
    'NumPy, 1 thread': () => numpy(each),
    'kernel, 1 thread': () => child('narrow', { each, threads: 1 }),
    'kernel, 2 threads': () => child('narrow', { each, threads: 2 }),
    'kernel, 256 bits, 1 thread': () => child('wide', { each, threads: 1 }),
    'kernel, 256 bits, 2 threads': () => child('wide', { each, threads: 2 }),
  };
  const rates = Object.keys(contenders).map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    Object.values(contenders).forEach((run, i) => {
      rates[i]!.push(run());
    });
  }
  console.log(
    `784-${each.hidden}-10, batch ${each.batch}, momentum ${each.momentum}, dropout ${each.dropout}`,
  );
  const base = median(rates[0]!);
  Object.keys(contenders).forEach((name, i) => {
    const rate = median(rates[i]!);
    console.log(
      `  ${name.padEnd(28)} ${Math.round(rate).toLocaleString('en')} images/s, ${(rate / base).toFixed(2)} ×`,
    );
  });
}

if (process.argv[2] === 'narrow' || process.argv[2] === 'wide') {
  if (process.argv[2] === 'wide') widenVectors();
  const what = JSON.parse(process.argv[3]!) as { each: Case; threads: number } | 'one';
  console.log(what === 'one' ? await predictOne() : await train(what.each, what.threads));
} else {
  console.log(`load at the start: ${loadavg()[0]!.toFixed(2)}`);
  for (const each of CASES) compare(each, Number(process.argv[2] ?? 5));
  console.log(
    `one image forward: ${child('narrow', 'one').toFixed(2)} µs; 256 bits: ${child('wide', 'one').toFixed(2)} µs`,
  );
  console.log(`load at the end: ${loadavg()[0]!.toFixed(2)}`);
}
