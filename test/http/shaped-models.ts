/** Models of images of several shapes, each trained on an upload of its own. */
import assert from 'node:assert/strict';
import type { FastifyInstance } from 'fastify';
import sharp from 'sharp';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import { type ImageShape, valueCount } from '../../src/numerics/network/image-shape.ts';
import type { Predictions } from '../../src/protocols/native/schema.ts';
import { shapedImages } from '../support/shaped-images.ts';
import { tiny, train } from '../support/start-service.ts';
import { upload } from './upload.ts';

/** Images of the test split that are predicted. */
export const PREDICTED = 3;

export interface ShapedModel {
  readonly name: string;
  readonly dataset: string;
  readonly shape: ImageShape;
  readonly values: number;
  /** The predicted images, channels last. */
  readonly pixels: Uint8Array;
  readonly images: readonly Uint8Array[];
  readonly pngs: readonly Buffer[];
  /** Probabilities of each image, of its raw bytes. */
  readonly expected: readonly (readonly number[])[];
}

export const modelName = (shape: ImageShape): string => `shape-${shape.join('-')}`;

/** @param trained number of training images; the test split has `tested` */
export async function uploadShaped(
  app: FastifyInstance,
  shape: ImageShape,
  classNames = 'up,down',
  [trained, tested]: readonly [number, number] = [130, 20],
) {
  const pixels = shapedImages(shape, trained + tested);
  const labels = Uint8Array.from({ length: trained + tested }, (_, n) => n % 2);
  const end = trained * valueCount(shape);
  const response = await upload(app, {
    classNames,
    train_images: npyBytes(pixels.subarray(0, end), [trained, ...shape]),
    train_labels: npyBytes(labels.subarray(0, trained), [trained]),
    test_images: npyBytes(pixels.subarray(end), [tested, ...shape]),
    test_labels: npyBytes(labels.subarray(trained), [tested]),
  });
  assert.ok([200, 201].includes(response.statusCode), response.body);
  return { id: response.json().id as string, test: pixels.slice(end) };
}

/** A PNG of exactly these pixels, written without the service. */
export function toPicture(image: Uint8Array, [height, width, channels]: ImageShape): Promise<Buffer> {
  const picture = sharp(image, { raw: { width, height, channels: channels ?? 1 } });
  return (channels ? picture : picture.toColourspace('b-w')).png().toBuffer();
}

export async function trainShaped(app: FastifyInstance, shape: ImageShape): Promise<ShapedModel> {
  const { id: dataset, test } = await uploadShaped(app, shape);
  const name = modelName(shape);
  const training = { epochs: 4, batchSize: 8 };
  const network = { hidden: [6] };
  const job = await train(app, tiny({ dataset, modelName: name, network, training }));
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
  const values = valueCount(shape);
  const pixels = test.slice(0, PREDICTED * values);
  const images = Array.from({ length: PREDICTED }, (_, n) => pixels.slice(n * values, (n + 1) * values));
  const response = await predictBytes(app, name, pixels);
  const { predictions } = response.json<Predictions>();
  const expected = predictions.map(({ probabilities }) => probabilities!);
  assert.equal(new Set(expected.map(String)).size, PREDICTED, 'the images differ');
  const pngs = await Promise.all(images.map((image) => toPicture(image, shape)));
  return { name, dataset, shape, values, pixels, images, pngs, expected };
}

export function predictBytes(app: FastifyInstance, name: string, pixels: Uint8Array, query = '') {
  return app.inject({
    method: 'POST',
    url: `/v1/models/${name}/predictions${query}`,
    headers: { 'content-type': 'application/octet-stream' },
    payload: Buffer.from(pixels),
  });
}
