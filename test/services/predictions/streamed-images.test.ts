import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Architecture } from '../../../src/numerics/network/architecture.ts';
import { kernelCost } from '../../../src/numerics/simd/layers-layout.ts';
import type { Guarantee, LoadedCalibration } from '../../../src/protocols/codec.ts';
import type { LoadedModel } from '../../../src/services/models/loaded-version.ts';
import { PredictionStream } from '../../../src/services/predictions/streamed-images.ts';
import type { PredictionPool } from '../../../src/workers/pools.ts';
import type { BlockTask } from '../../../src/workers/predictions/entry.worker.ts';
import { release } from '../../../src/workers/threads/transfer.ts';
import { dense } from '../../support/dense.ts';

/** A stream whose pool returns the first and the last pixel of each image as its logit and its probability. */
function openStream(
  compute: (block: Buffer) => Promise<void> = async () => {},
  architecture = dense([784, 1]),
  size = 1,
  guarantee: Guarantee | null = null,
  loadCalibration: (signal: AbortSignal) => Promise<LoadedCalibration> = () => Promise.reject(new Error()),
) {
  const blocks: Buffer[] = [];
  let running = 0;
  const pool = {
    size,
    async run(name: string, { chunks }: BlockTask, _signal: undefined, transfer: readonly Uint8Array[]) {
      assert.equal(name, 'predictBlock');
      assert.ok(++running <= size, 'at most one block a thread');
      const block = Buffer.concat(chunks);
      // The stream must not read again what it has moved to a thread.
      release(transfer);
      blocks.push(block);
      await compute(block);
      running--;
      const images = Array.from({ length: block.length / 784 }, (_, n) =>
        block.subarray(784 * n, 784 * (n + 1)),
      );
      const outputs = {
        logits: Float32Array.from(images, (image) => image[0]!),
        probabilities: Float32Array.from(images, (image) => image[783]!),
      };
      return { outputs, computeMs: 2 };
    },
  } as unknown as PredictionPool;
  const model = {
    reference: { name: 'a', version: 1 },
    architecture,
    multiplyAdds: kernelCost(architecture),
    classNames: ['x'],
  };
  return {
    stream: new PredictionStream(pool, model as unknown as LoadedModel, guarantee, loadCalibration),
    blocks,
  };
}

const IMAGES = 3000;
const pixels = Buffer.from(Uint8Array.from({ length: 784 * IMAGES }, (_, n) => (n * 7919) >> 3));
const neverAborted = () => new AbortController().signal;

for (const size of [100, 784, 65_536, 1_000_003, pixels.length]) {
  test(`chunks of ${size} bytes become blocks of whole images, in order`, async () => {
    const { stream, blocks } = openStream(() => new Promise(setImmediate));
    for (let start = 0; start < pixels.length; start += size) {
      stream.write(Buffer.from(pixels.subarray(start, start + size)));
      if (start % 8 === 0) await new Promise(setImmediate);
    }
    const results = await stream.end(neverAborted());
    assert.ok(blocks.every(({ length }) => length % 784 === 0));
    assert.ok(Buffer.concat(blocks).equals(pixels));
    assert.equal(results.length, blocks.length);
    assert.deepEqual(
      results.flatMap(({ outputs }) => Array.from(outputs.logits)),
      Array.from({ length: IMAGES }, (_, n) => pixels[784 * n]),
    );
    assert.deepEqual(stream.ms.compute, 2 * blocks.length);
  });
}

test('predicts before the last image has arrived, and the rest at the end', async () => {
  const { stream, blocks } = openStream();
  stream.write(Buffer.from(pixels.subarray(0, 784 * 1024)));
  assert.equal(blocks[0]?.length, 784 * 1024);
  await new Promise(setImmediate);
  stream.write(Buffer.from(pixels.subarray(784 * 1024, 784 * 1025)));
  await new Promise(setImmediate);
  assert.equal(blocks.length, 1, 'a single image is not worth a task');
  await stream.end(neverAborted());
  assert.equal(blocks[1]?.length, 784);
});

test('several threads predict the blocks of a large network at the same time, and the results are in order', async () => {
  const { promise: othersEnd, resolve } = Promise.withResolvers<void>();
  let started = 0;
  // The first block ends last.
  const { stream, blocks } = openStream(
    async () => (started++ === 0 ? othersEnd : undefined),
    dense([784, 1500, 1]),
    2,
  );
  for (let start = 0; start < pixels.length; start += 784 * 1024) {
    stream.write(Buffer.from(pixels.subarray(start, start + 784 * 1024)));
  }
  await new Promise(setImmediate);
  assert.ok(blocks.length > 1, 'others begin before the first one ends');
  const ended = stream.end(neverAborted());
  resolve();
  const results = await ended;
  assert.deepEqual(
    results.flatMap(({ outputs }) => Array.from(outputs.logits)),
    Array.from({ length: IMAGES }, (_, n) => pixels[784 * n]),
  );
});

test('each thread takes its share of the images that wait, and too little work is not shared', async () => {
  const { promise: blocksEnd, resolve } = Promise.withResolvers<void>();
  const imagesPerBlock = async (architecture: Architecture) => {
    const { stream, blocks } = openStream(() => blocksEnd, architecture, 2);
    stream.write(Buffer.from(pixels));
    await new Promise(setImmediate);
    return { stream, sizes: () => blocks.map(({ length }) => length / 784) };
  };
  const [shared, tiny] = [await imagesPerBlock(dense([784, 40, 10])), await imagesPerBlock(dense([784, 1]))];
  assert.deepEqual(shared.sizes(), [1500, 750]);
  assert.deepEqual(tiny.sizes(), [3000]);
  const ended = Promise.all([shared, tiny].map(({ stream }) => stream.end(neverAborted())));
  resolve();
  await ended;
  // Half of the 750 images that are left would be less than 20 million multiply-adds.
  const least = Math.ceil(2e7 / kernelCost(dense([784, 40, 10])));
  assert.deepEqual(shared.sizes(), [1500, 750, least, 750 - least]);
});

test('an error ends the stream, and is thrown at its end', async () => {
  const failure = new Error('crashed');
  const { stream, blocks } = openStream(async () => {
    throw failure;
  });
  stream.write(Buffer.from(pixels));
  await new Promise(setImmediate);
  stream.write(Buffer.from(pixels));
  await assert.rejects(stream.end(neverAborted()), (error) => error === failure);
  assert.equal(blocks.length, 1);
});

test('predicts once the calibration is loaded, in smaller blocks if the comparison of images is costly', async () => {
  const { promise, resolve } = Promise.withResolvers<LoadedCalibration>();
  const guarantee = { coverage: 0.9, calibrated: false };
  const { stream, blocks } = openStream(undefined, undefined, 1, guarantee, () => promise);
  stream.write(Buffer.from(pixels.subarray(0, 784 * 1024)));
  await new Promise(setImmediate);
  assert.equal(blocks.length, 0);
  const space = {
    mean: new Float32Array(1),
    components: new Float32Array(10 ** 6),
    points: new Float32Array(),
  };
  resolve({ outliers: { spaces: [space] } } as unknown as LoadedCalibration);
  stream.write(Buffer.from(pixels.subarray(784 * 1024)));
  await stream.end(neverAborted());
  assert.ok(Buffer.concat(blocks).equals(pixels));
  assert.ok(blocks.slice(1).every(({ length }) => (length / 784) * 4e6 <= 2e9));
  assert.ok(blocks.length < 20, 'no smaller than necessary');
});

test('a calibration that cannot be loaded ends the stream, and the end of the stream stops loading it', async () => {
  const guarantee = { coverage: null, calibrated: true };
  const failure = new Error('not calibrated');
  const { stream, blocks } = openStream(undefined, undefined, 1, guarantee, () => Promise.reject(failure));
  stream.write(Buffer.from(pixels.subarray(0, 784)));
  await new Promise(setImmediate);
  await assert.rejects(stream.end(neverAborted()), (error) => error === failure);
  assert.equal(blocks.length, 0);
  const { promise, resolve } = Promise.withResolvers<AbortSignal>();
  const loading = openStream(undefined, undefined, 1, guarantee, (signal) => {
    resolve(signal);
    return new Promise(() => {});
  });
  loading.stream.abort(failure);
  assert.equal((await promise).reason, failure);
});

test('predicts no further block once it is aborted', async () => {
  const disconnected = new Error('disconnected');
  for (const abort of [
    (stream: PredictionStream) => {
      stream.abort(disconnected);
      return stream.end(neverAborted());
    },
    (stream: PredictionStream) => {
      const client = new AbortController();
      const ended = stream.end(client.signal);
      client.abort(disconnected);
      return ended;
    },
    (stream: PredictionStream) => stream.end(AbortSignal.abort(disconnected)),
  ]) {
    const { stream, blocks } = openStream();
    stream.write(Buffer.from(pixels));
    stream.write(Buffer.from(pixels));
    await assert.rejects(abort(stream), (error) => error === disconnected);
    assert.equal(blocks.length, 1);
  }
});

test('a block of a large network takes no more than about 0.1 s', async () => {
  const { stream, blocks } = openStream(undefined, dense([784, 4000, 1]));
  stream.write(Buffer.from(pixels));
  await stream.end(neverAborted());
  assert.ok(blocks.every(({ length }) => (length / 784) * 784 * 4000 <= 2e9));
  assert.ok(Buffer.concat(blocks).equals(pixels));
});

test('the wait of a block is its time without the computation', async (t) => {
  let now = 100;
  t.mock.method(performance, 'now', () => now);
  const { stream } = openStream(async () => {
    now += 7;
  });
  stream.write(Buffer.from(pixels.subarray(0, 784)));
  await stream.end(neverAborted());
  // The computation of a block takes 2 ms of these 7 ms.
  assert.deepEqual([stream.ms.compute, stream.ms.wait], [2, 5]);
});
