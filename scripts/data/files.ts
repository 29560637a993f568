/** The four files of the data set, and the hashes of the original Fashion-MNIST. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

export interface DataFile {
  readonly npy: string;
  /** Name of the original, an IDX file, usually with .gz after it. */
  readonly idx: string;
  /** SHA-256 of the decompressed original; compression differs between distributors. */
  readonly sha256: string;
  readonly shape: readonly [images: number] | readonly [images: number, pixels: number];
}

export const FILES: readonly DataFile[] = [
  {
    npy: 'fashion_mnist_train_images.npy',
    idx: 'train-images-idx3-ubyte',
    sha256: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
    shape: [60_000, 784],
  },
  {
    npy: 'fashion_mnist_train_labels.npy',
    idx: 'train-labels-idx1-ubyte',
    sha256: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
    shape: [60_000],
  },
  {
    npy: 'fashion_mnist_test_images.npy',
    idx: 't10k-images-idx3-ubyte',
    sha256: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
    shape: [10_000, 784],
  },
  {
    npy: 'fashion_mnist_test_labels.npy',
    idx: 't10k-labels-idx1-ubyte',
    sha256: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
    shape: [10_000],
  },
];

/** Two zeros, uint8 (8), the number of dimensions; then each dimension as a big-endian 32-bit number. */
export function idxHeader({ shape }: DataFile): Buffer {
  const dimensions = shape.length === 1 ? shape : [shape[0], 28, 28];
  const header = Buffer.from([0, 0, 8, dimensions.length, ...dimensions.flatMap(() => [0, 0, 0, 0])]);
  for (const [d, dimension] of dimensions.entries()) header.writeUInt32BE(dimension, 4 + 4 * d);
  return header;
}

/** Whether these pixels or labels are Fashion-MNIST's. */
export function isOfficial(file: DataFile, data: Uint8Array): boolean {
  return createHash('sha256').update(idxHeader(file)).update(data).digest('hex') === file.sha256;
}

/** Pixels or labels of an original, compressed or not. @throws Error if it is not the original */
export async function readOriginal(file: DataFile, bytes: Uint8Array): Promise<Uint8Array> {
  const header = idxHeader(file);
  const length = header.length + file.shape.reduce<number>((product, dimension) => product * dimension, 1);
  let idx = bytes;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    idx = await promisify(gunzip)(bytes, { maxOutputLength: length }).catch((cause) => {
      throw new Error(`${file.idx}.gz cannot be decompressed: ${cause.message}`, { cause });
    });
  }
  const data = idx.subarray(header.length);
  if (idx.length !== length || !header.equals(idx.subarray(0, header.length)) || !isOfficial(file, data)) {
    throw new Error(`${file.idx} is not the original: its SHA-256 is not ${file.sha256}`);
  }
  return data;
}
