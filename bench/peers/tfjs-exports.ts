/**
 * Shows that TensorFlow.js computes what a running service predicts, by the JSON export of a model and random images.
 * usage: tfjs-exports.ts URL NAME VERSION
 */
import assert from 'node:assert/strict';
import { parseNpy } from '../../src/formats/arrays/npy.ts';
import type { Activation } from '../../src/numerics/network/activations.ts';
import type { Network } from '../../src/numerics/network/layers.ts';

interface Tensor {
  div(divisor: number | Tensor): Tensor;
  sub(other: Tensor): Tensor;
  dataSync(): Float32Array;
}
type Layer = { setWeights(weights: readonly Tensor[]): void };
/** The used part of the API of TensorFlow.js. Its own types exist only if it is installed. */
interface TensorFlowLayers {
  tensor(values: unknown, shape?: readonly number[]): Tensor;
  transpose(matrix: Tensor): Tensor;
  sequential(): { add(layer: Layer): void; predict(x: Tensor): Tensor };
  readonly layers: {
    flatten(options: { readonly inputShape: readonly number[] }): Layer;
    dense(options: { readonly units: number; readonly activation?: string }): Layer;
    leakyReLU(options: { readonly alpha: number }): Layer;
    activation(options: { readonly activation: string }): Layer;
  };
}
type Export = Pick<Network, 'activation' | 'standardization'> & {
  readonly layerSizes: readonly number[];
  readonly inputShape?: readonly number[];
  readonly parameters: Readonly<Record<string, unknown>>;
};

// Not a literal: the package is only there where someone installed it.
const [core]: string[] = ['@tensorflow/tfjs'];
const tf = (await import(core!)) as TensorFlowLayers;
const NAMES: Readonly<Record<Exclude<Activation, 'leaky-relu'>, string>> = {
  relu: 'relu',
  tanh: 'tanh',
  sigmoid: 'sigmoid',
  identity: 'linear',
  silu: 'swish',
};
const IMAGES = 500;
const TOLERANCE = 2e-6;

const [url, name, version] = process.argv.slice(2);
const path = `${url}/v1/models/${name}/versions/${version}`;
const exported = (await (await fetch(`${path}/export?format=json`)).json()) as Export;
const { layerSizes, activation, standardization, parameters } = exported;
const [height, width, channels = 1] = exported.inputShape ?? [28, 28];

const network = tf.sequential();
network.add(tf.layers.flatten({ inputShape: [height!, width!, channels] }));
for (let l = 1; l < layerSizes.length; l++) {
  const layer = tf.layers.dense({ units: layerSizes[l]! });
  network.add(layer);
  layer.setWeights([tf.transpose(tf.tensor(parameters[`W${l}`])), tf.tensor(parameters[`b${l}`])]);
  if (l + 1 === layerSizes.length) network.add(tf.layers.activation({ activation: 'softmax' }));
  else if (activation === 'leaky-relu') network.add(tf.layers.leakyReLU({ alpha: 0.01 }));
  else network.add(tf.layers.activation({ activation: NAMES[activation] }));
}

const pixels = Uint8Array.from({ length: IMAGES * layerSizes[0]! }, () => Math.floor(Math.random() * 256));
const headers = { 'content-type': 'application/octet-stream', accept: 'application/x-npy' };
const response = await fetch(`${path}/predictions`, { method: 'POST', headers, body: pixels });
const served = parseNpy(new Uint8Array(await response.arrayBuffer())).data;

let images = tf.tensor(Float32Array.from(pixels), [IMAGES, height!, width!, channels]).div(255);
if (standardization !== null)
  images = images.sub(tf.tensor(standardization.mean)).div(tf.tensor(standardization.std));
const found = network.predict(images).dataSync();
const differences = Array.from(found, (value, i) => Math.abs(value - Number(served[i])));
const largest = differences.reduce((a, b) => Math.max(a, b));
console.log(
  `${name}@${version}: ${found.length} probabilities, largest difference ${largest.toPrecision(2)}`,
);
assert.ok(largest <= TOLERANCE && found.length === served.length);
