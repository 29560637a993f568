/** The training images of the benchmarks: Fashion-MNIST, or arrays of images of any shape. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadFashionMnist } from '../../src/datasets/fashion-mnist.ts';
import { parseNpy } from '../../src/formats/arrays/npy.ts';
import type { Examples } from '../../src/numerics/training/engine.ts';

export interface TrainingData {
  /** In shared memory. */
  readonly train: Examples;
  /** Numbers of an image. */
  readonly inputs: number;
  readonly classes: number;
}

/** @param folder with the files of Fashion-MNIST, or with train_images.npy and train_labels.npy */
export async function loadTrainingData(folder: string): Promise<TrainingData> {
  const isOther = existsSync(join(folder, 'train_images.npy'));
  const train = isOther ? readArrays(folder) : (await loadFashionMnist(folder)).train;
  return {
    train,
    inputs: train.pixels.length / train.labels.length,
    classes: 1 + train.labels.values().reduce((highest, label) => Math.max(highest, label), 0),
  };
}

function readArrays(folder: string): Examples {
  const read = (name: string) => {
    const { data } = parseNpy(readFileSync(join(folder, name)));
    const shared = new Uint8Array(new SharedArrayBuffer(data.length));
    shared.set(data as Uint8Array);
    return shared;
  };
  return { pixels: read('train_images.npy'), labels: read('train_labels.npy') };
}
