/**
 * Training steps of a network with convolutions by TensorFlow.js's CPU backend: its WebAssembly backend has no gradient of them.
 * usage: tfjs-convolutions.ts DATA_DIR LAYERS BATCH
 */
import { loadFashionMnist } from '../../src/datasets/fashion-mnist.ts';
import { parseLayers } from '../subjects/parse-layers.ts';

interface Tensor {
  dispose(): void;
}
type Layer = object;
/** The used part of the API of TensorFlow.js. Its own types exist only if it is installed. */
interface TensorFlowLayers {
  setBackend(name: string): Promise<boolean>;
  tensor(values: Float32Array, shape: number[]): Tensor;
  sequential(): {
    add(layer: Layer): void;
    compile(options: object): void;
    trainOnBatch(x: Tensor, y: Tensor): Promise<number>;
  };
  readonly train: { momentum(rate: number, momentum: number): object };
  readonly layers: {
    conv2d(options: object): Layer;
    maxPooling2d(options: object): Layer;
    flatten(): Layer;
    dense(options: object): Layer;
  };
}

const STEPS = 3;

// Not a literal: the package is only there where someone installed it.
const [core]: string[] = ['@tensorflow/tfjs'];
const tf = (await import(core!)) as TensorFlowLayers;
await tf.setBackend('cpu');

const [directory, layers, batchText] = process.argv.slice(2);
const batchSize = Number(batchText);
const { train } = await loadFashionMnist(directory!);
const { convolutions, hidden, classes } = parseLayers(layers!, 784, 10);
const network = tf.sequential();
for (const [s, stage] of convolutions.entries()) {
  for (const [i, filters] of stage.entries()) {
    const inputShape = s === 0 && i === 0 ? { inputShape: [28, 28, 1] } : {};
    const options = { filters, kernelSize: 3, padding: 'same', activation: 'relu', ...inputShape };
    network.add(tf.layers.conv2d(options));
  }
  network.add(tf.layers.maxPooling2d({ poolSize: 2 }));
}
network.add(tf.layers.flatten());
for (const units of hidden) network.add(tf.layers.dense({ units, activation: 'relu' }));
network.add(tf.layers.dense({ units: classes, activation: 'softmax' }));
network.compile({ optimizer: tf.train.momentum(0.02, 0.9), loss: 'categoricalCrossentropy' });

const imagesPerSecond: number[] = [];
let loss = 0;
for (let step = 0; step < STEPS; step++) {
  const start = step * batchSize;
  const pixels = train.pixels.subarray(start * 784, (start + batchSize) * 784);
  const targets = new Float32Array(batchSize * classes);
  for (let n = 0; n < batchSize; n++) targets[n * classes + train.labels[start + n]!] = 1;
  const x = tf.tensor(
    Float32Array.from(pixels, (pixel) => pixel / 255),
    [batchSize, 28, 28, 1],
  );
  const y = tf.tensor(targets, [batchSize, classes]);
  const startedAt = performance.now();
  loss = await network.trainOnBatch(x, y);
  imagesPerSecond.push(batchSize / ((performance.now() - startedAt) / 1000));
  x.dispose();
  y.dispose();
}
console.log(JSON.stringify({ imagesPerSecond, loss }));
