/**
 * The training of bench/numpy_training.py by Atelier.
 * usage: training.ts reference|kernel|wide THREADS DATA_DIR LAYERS BATCH EPOCHS [MOMENTUM DROPOUT IMAGES]
 * LAYERS like 40, 512-256 or, with two stages of convolutions, (16)-(32 32)-128
 * Prints one JSON line: images per second of every epoch, and the last mean loss.
 */

import { shuffleEpoch } from '../../src/numerics/examples/batches.ts';
import { widenVectors } from '../../src/tuning/wide-vectors.ts';
import { parseLayers } from './parse-layers.ts';
import { createKernelStepper, createReferenceStepper } from './step.ts';
import { loadTrainingData } from './training-data.ts';

const [engine, threads, directory, layers, batchText, epochs, momentum = '0', dropout = '0', images] =
  process.argv.slice(2);
const batchSize = Number(batchText);
const { train, inputs, classes } = await loadTrainingData(directory!);
const settings = {
  architecture: parseLayers(layers!, inputs, classes),
  batchSize,
  momentum: Number(momentum),
  dropout: Number(dropout),
};
if (engine === 'wide') widenVectors();
const stepper =
  engine === 'reference'
    ? createReferenceStepper(settings)
    : createKernelStepper(settings, Number(threads), train.pixels);
const learningRate = settings.momentum === 0 ? 0.1 : 0.02;
const indices = Uint32Array.from(train.labels.subarray(0, Number(images ?? train.labels.length)).keys());
const order = new Uint32Array(indices.length);
const steps = Math.floor(order.length / batchSize);
const sums = { loss: 0, correct: 0 };
const imagesPerSecond: number[] = [];
let loss = 0;
for (let epoch = 1; epoch <= Number(epochs); epoch++) {
  shuffleEpoch(order, indices, 1, epoch);
  loss = 0;
  const startedAt = performance.now();
  for (let s = 0; s < steps; s++) {
    const start = s * batchSize;
    const measureNorm = s === steps - 1;
    const batch = order.subarray(start, start + batchSize);
    stepper.step(train, batch, { epoch, start, learningRate, measureNorm }, sums);
    loss += sums.loss;
  }
  imagesPerSecond.push((steps * batchSize) / ((performance.now() - startedAt) / 1000));
}
stepper.shutdown();
console.log(JSON.stringify({ imagesPerSecond, loss: loss / (steps * batchSize) }));
