/** Plain float64 network, one number at a time, to compare the kernel with. */

import { augment, planAugmentation } from '../../../src/numerics/examples/augment.ts';
import { dropoutMask, dropoutThreshold } from '../../../src/numerics/examples/dropout.ts';
import { drawMixingFraction, drawPartners } from '../../../src/numerics/examples/mixup.ts';
import type { Activation } from '../../../src/numerics/network/activations.ts';
import { type Architecture, parameterCount, plan } from '../../../src/numerics/network/architecture.ts';
import { valueCount } from '../../../src/numerics/network/image-shape.ts';
import type { ByChannel } from '../../../src/numerics/network/layers.ts';
import type { EngineSettings, Examples, StepPosition } from '../../../src/numerics/training/engine.ts';
import { passConvolutions } from './plain-convolutions.ts';

function activate(kind: Activation, z: number): number {
  if (kind === 'relu') return Math.max(z, 0);
  if (kind === 'leaky-relu') return z > 0 ? z : 0.01 * z;
  if (kind === 'tanh') return Math.tanh(z);
  if (kind === 'sigmoid') return 1 / (1 + Math.exp(-z));
  if (kind === 'silu') return z / (1 + Math.exp(-z));
  return z;
}

function derivative(kind: Activation, z: number): number {
  if (kind === 'relu') return z > 0 ? 1 : 0;
  if (kind === 'leaky-relu') return z > 0 ? 1 : 0.01;
  if (kind === 'tanh') return 1 - Math.tanh(z) ** 2;
  if (kind === 'sigmoid') return activate(kind, z) * (1 - activate(kind, z));
  if (kind === 'silu') return (1 + Math.exp(-z) + z * Math.exp(-z)) / (1 + Math.exp(-z)) ** 2;
  return 1;
}

/** Views of the fully connected layers into the packed vector. */
function denseLayers(packed: Float64Array, architecture: Architecture) {
  const dense = plan(architecture).layers.filter(({ type }) => type === 'dense');
  return dense.map(({ blocks: [w, b] }) => ({
    inputs: w!.shape[1]!,
    outputs: w!.shape[0]!,
    weights: packed.subarray(w!.start, w!.end),
    biases: packed.subarray(b!.start, b!.end),
  }));
}

/** 1 for each weight, 0 for each bias, scale and shift. */
function markWeights(architecture: Architecture): Float64Array {
  const marks = new Float64Array(parameterCount(architecture));
  for (const { type, blocks } of plan(architecture).layers) {
    if (type === 'dense' || type === 'convolution') marks.fill(1, blocks[0]!.start, blocks[0]!.end);
  }
  return marks;
}

export interface Measured {
  readonly gradient: Float64Array;
  readonly loss: number;
  readonly correct: number;
  readonly logits: number[][];
}

/** Gradient of the objective, and the plain cross-entropy. If `position` is null: no dropout, no augmentation. */
export function measure(
  settings: EngineSettings,
  parameters: Float64Array,
  examples: Examples,
  batch: Uint32Array,
  position: Pick<StepPosition, 'epoch' | 'start'> | null,
): Measured {
  const { architecture, activation, seed, labelSmoothing, classWeights, distillation: taught } = settings;
  const layers = denseLayers(parameters, architecture);
  const gradient = new Float64Array(parameters.length);
  const gradients = denseLayers(gradient, architecture);
  const { mean, std } = settings.standardization ?? { mean: 0, std: 1 };
  const ofChannel = (numbers: ByChannel, i: number) =>
    typeof numbers === 'number' ? numbers : numbers[i % 3]!;
  const [inputs, classes] = [valueCount(architecture.inputShape), architecture.classes];
  const plan = planAugmentation(settings.augmentation, architecture.inputShape);
  let loss = 0;
  let correct = 0;
  const logits: number[][] = [];
  const partners = new Uint32Array(batch.length);
  let fraction = 1;
  if (position && settings.mixup) {
    fraction = drawMixingFraction(settings.mixup, seed, position.epoch, position.start);
    drawPartners(partners, seed, position.epoch, position.start);
  }
  const imageAt = (n: number) => {
    const row = batch[n]!;
    const pixels = examples.pixels.slice(row * inputs, (row + 1) * inputs);
    if (!position || plan === null) return pixels;
    const changed = new Uint8Array(inputs);
    augment(changed, pixels, 0, plan, seed, position.epoch, position.start + n);
    return changed;
  };
  batch.forEach((_, n) => {
    const pixels = imageAt(n);
    const other = imageAt(partners[n]!);
    if (fraction < 1) {
      for (const [i, x] of pixels.entries())
        pixels[i] = Math.round(fraction * x + (1 - fraction) * other[i]!);
    }
    const image = Array.from(pixels, (x, i) => (x / 255 - ofChannel(mean, i)) / ofChannel(std, i));
    const functions = {
      activate: (x: number) => activate(activation, x),
      derivative: (x: number) => derivative(activation, x),
    };
    const convolved =
      architecture.convolutions.length === 0
        ? null
        : passConvolutions(architecture, functions, image, parameters, gradient);
    const a: number[][] = [convolved ? Array.from(convolved.output) : image];
    const slopes: number[][] = [[]];
    layers.forEach(({ weights, biases, inputs: below, outputs }, l) => {
      const z = Array.from({ length: outputs }, (_, i) => {
        let sum = biases[i]!;
        for (let j = 0; j < below; j++) sum += weights[i * below + j]! * a[l]![j]!;
        return sum;
      });
      if (l === layers.length - 1) {
        a.push(z);
        return;
      }
      const kept = new Uint8Array(outputs).fill(1);
      const scale = position ? 1 / (1 - settings.dropout) : 1;
      if (position && settings.dropout > 0) {
        const threshold = dropoutThreshold(settings.dropout);
        dropoutMask(kept, seed, position.epoch, l + 1, position.start + n, threshold);
      }
      a.push(z.map((x, i) => activate(activation, x) * kept[i]! * scale));
      slopes.push(z.map((x, i) => derivative(activation, x) * kept[i]! * scale));
    });
    const z = a.at(-1)!;
    logits.push(z);
    const max = Math.max(...z);
    const sum = z.reduce((total, x) => total + Math.exp(x - max), 0);
    let dz = z.map(() => 0);
    const labels = [n, partners[n]!].map((from) => examples.labels[batch[from]!]!);
    if (z.indexOf(max) === labels[fraction >= 0.5 ? 0 : 1]) correct++;
    for (const [i, part] of [fraction, 1 - fraction].entries()) {
      const label = labels[i]!;
      const row = classes * batch[i === 0 ? n : partners[n]!]!;
      loss += part * (Math.log(sum) + (max - z[label]!));
      const weight = (part * (classWeights?.[label] ?? 1)) / batch.length;
      dz = dz.map((d, k) => {
        const smoothed = (1 - labelSmoothing) * (k === label ? 1 : 0) + labelSmoothing / classes;
        const q =
          taught === null ? smoothed : smoothed + taught.weight * (taught.targets[row + k]! - smoothed);
        return d + weight * (Math.exp(z[k]! - max) / sum - q);
      });
    }
    for (let l = layers.length - 1; l >= 0; l--) {
      const { weights, inputs: below } = layers[l]!;
      const d = gradients[l]!;
      dz.forEach((value, i) => {
        d.biases[i]! += value;
        for (let j = 0; j < below; j++) d.weights[i * below + j]! += value * a[l]![j]!;
      });
      if (l === 0 && convolved === null) break;
      dz = Array.from({ length: below }, (_, j) => {
        let back = 0;
        for (let i = 0; i < dz.length; i++) back += weights[i * below + j]! * dz[i]!;
        return back * (slopes[l]![j] ?? 1);
      });
    }
    convolved?.backward(Float64Array.from(dz));
  });
  for (const [i, isWeight] of markWeights(architecture).entries()) {
    const w = parameters[i]!;
    if (isWeight) gradient[i]! += settings.l1 * Math.sign(w) + settings.l2 * w;
  }
  return { gradient, loss, correct, logits };
}

/** Training by PyTorch's formulas. */
export function createPlainTraining(settings: EngineSettings, initial: Float64Array) {
  const { architecture, optimizer, clipNorm } = settings;
  const parameters = initial.slice();
  const first = new Float64Array(parameters.length);
  const second = new Float64Array(parameters.length);
  const isWeight = markWeights(architecture);
  const average = parameters.slice();
  let t = 0;

  function descent(i: number, gradient: number, rate: number): number {
    const w = parameters[i]!;
    const decay = optimizer.weightDecay * isWeight[i]!;
    if (optimizer.type === 'sgd') {
      const g = gradient + decay * w;
      first[i] = optimizer.momentum * first[i]! + g;
      return rate * (optimizer.nesterov ? g + optimizer.momentum * first[i]! : first[i]!);
    }
    if (optimizer.type === 'rmsprop') {
      const g = gradient + decay * w;
      first[i] = optimizer.alpha * first[i]! + (1 - optimizer.alpha) * g * g;
      second[i] = optimizer.momentum * second[i]! + g / (Math.sqrt(first[i]!) + optimizer.epsilon);
      return rate * second[i]!;
    }
    const { beta1, beta2, epsilon, type } = optimizer;
    const g = gradient + (type === 'adam' ? decay * w : 0);
    first[i] = beta1 * first[i]! + (1 - beta1) * g;
    second[i] = beta2 * second[i]! + (1 - beta2) * g * g;
    const root = Math.sqrt(second[i]! / (1 - beta2 ** t)) + epsilon;
    return rate * ((type === 'adamw' ? decay * w : 0) + first[i]! / (1 - beta1 ** t) / root);
  }

  return {
    parameters: settings.ema === null ? parameters : average,
    step(examples: Examples, batch: Uint32Array, position: StepPosition) {
      const measured = measure(settings, parameters, examples, batch, position);
      t++;
      const norm = Math.hypot(...measured.gradient);
      const scale = clipNorm === null ? 1 : Math.min(1, clipNorm / (norm + 1e-6));
      for (let i = 0; i < parameters.length; i++) {
        parameters[i]! -= descent(i, measured.gradient[i]! * scale, position.learningRate);
        const decay = Math.min(settings.ema?.decay ?? 0, (1 + t) / (10 + t));
        average[i] = decay * average[i]! + (1 - decay) * parameters[i]!;
      }
      return { ...measured, norm };
    },
  };
}
