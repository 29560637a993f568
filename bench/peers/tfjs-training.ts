/**
 * The training of bench/numpy_training.py by TensorFlow.js's WebAssembly backend; plain SGD, one hidden layer.
 * usage: tfjs-training.ts DATA_DIR HIDDEN BATCH EPOCHS
 */
import { loadFashionMnist } from '../../src/datasets/fashion-mnist.ts';
import { shuffleEpoch } from '../../src/numerics/examples/batches.ts';
import type { TensorFlow } from './tensorflow.ts';

// Not literals: the packages are only there where someone installed them.
const [core, backend]: string[] = ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'];
const tf = (await import(core!)) as TensorFlow;
await import(backend!);
await tf.setBackend('wasm');

const [directory, hiddenText, batchText, epochs] = process.argv.slice(2);
const [hidden, batchSize] = [Number(hiddenText), Number(batchText)];
const { train } = await loadFashionMnist(directory!);
const uniform = (inputs: number, outputs: number) => {
  const bound = 1 / Math.sqrt(inputs);
  return tf.variable(tf.randomUniform([inputs, outputs], -bound, bound));
};
const [w1, b1] = [uniform(784, hidden), tf.variable(tf.fill([hidden], 0.01))];
const [w2, b2] = [uniform(hidden, 10), tf.variable(tf.fill([10], 0.01))];
const optimizer = tf.train.sgd(0.1);
const images = new Float32Array(batchSize * 784);
const targets = new Float32Array(batchSize * 10);
const indices = Uint32Array.from(train.labels.keys());
const order = new Uint32Array(indices.length);
const steps = Math.floor(order.length / batchSize);
const imagesPerSecond: number[] = [];
let loss = 0;

function step(start: number): number {
  targets.fill(0);
  for (let n = 0; n < batchSize; n++) {
    const row = order[start + n]!;
    for (let i = 0; i < 784; i++) images[n * 784 + i] = train.pixels[row * 784 + i]! / 255;
    targets[n * 10 + train.labels[row]!] = 1;
  }
  return tf.tidy(() => {
    const x = tf.tensor2d(images, [batchSize, 784]);
    const y = tf.tensor2d(targets, [batchSize, 10]);
    const cost = optimizer.minimize(() => {
      const a = tf.relu(tf.add(tf.matMul(x, w1), b1));
      return tf.losses.softmaxCrossEntropy(y, tf.add(tf.matMul(a, w2), b2));
    }, true);
    return cost.dataSync()[0]!;
  });
}

for (let epoch = 1; epoch <= Number(epochs); epoch++) {
  shuffleEpoch(order, indices, 1, epoch);
  loss = 0;
  const startedAt = performance.now();
  for (let s = 0; s < steps; s++) loss += step(s * batchSize);
  imagesPerSecond.push((steps * batchSize) / ((performance.now() - startedAt) / 1000));
}
console.log(JSON.stringify({ imagesPerSecond, loss: loss / steps }));
