/** Looks at a test split are counted whatever becomes of the training images beside it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import { images, labels, npy, small } from '../../datasets/upload/fixtures.ts';
import { type Form, upload } from '../../http/upload.ts';
import { SMALL_DATA_DIR } from '../../support/data-directory.ts';
import { startService, tiny, train } from '../../support/start-service.ts';

const TRAIN = 8;
const form = small(TRAIN);

async function uploaded(app: FastifyInstance, files: Form): Promise<string> {
  const response = await upload(app, files);
  assert.equal(response.statusCode, 201, response.body);
  return response.json<DatasetSummary>().id;
}

async function looksAt(app: FastifyInstance, id: string): Promise<number | undefined> {
  return (await app.inject(`/v1/datasets/${id}`)).json<DatasetSummary>().splits.test.looks;
}

/** Trains two epochs, each of which reveals a test result. */
async function look(app: FastifyInstance, dataset: string): Promise<void> {
  const training = { epochs: 2, batchSize: 4 };
  const job = await train(app, tiny({ dataset, training, testSet: 'every-epoch', modelName: 'looking' }));
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
}

/** The training images and labels of the data set, changed in every way. */
function variants(): Record<string, Form> {
  const pixels = () => images(TRAIN, 2);
  const of = (changed: Uint8Array, of: Uint8Array, extra: Form = {}): Form => ({
    ...form,
    train_images: npy(changed, [of.length, 28, 28]),
    train_labels: npy(of, [of.length]),
    ...extra,
  });
  const label = labels(TRAIN, 2);
  label[0] = 1;
  const testLabels = labels(4, 2);
  const pixel = pixels();
  pixel[100]! += 1;
  return {
    'a label': of(pixels(), label),
    'a pixel': of(pixel, labels(TRAIN, 2)),
    'fewer images': of(pixels().subarray(784), labels(TRAIN, 2).subarray(1)),
    'more images': of(images(TRAIN + 4, 2), labels(TRAIN + 4, 2)),
    'the order': of(
      new Uint8Array([...pixels().subarray(784), ...pixels().subarray(0, 784)]),
      label.toReversed(),
    ),
    'class names': of(pixels(), label, { classNames: '["left", "right"]' }),
    'other images': of(images(60, 2).subarray(-TRAIN * 784), label),
    'a class before the others': of(
      images(TRAIN + 1, 2),
      Uint8Array.of(...labels(TRAIN, 2).map((each) => each + 1), 0),
      {
        test_labels: npy(
          testLabels.map((each) => each + 1),
          [4],
        ),
      },
    ),
    'the order of the classes': of(
      pixels(),
      label.map((each) => 1 - each),
      {
        test_labels: npy(
          testLabels.map((each) => 1 - each),
          [4],
        ),
      },
    ),
  };
}

test('no change of the training images resets the looks at a test split', async (t) => {
  const { app } = await startService(t);
  const id = await uploaded(app, form);
  await look(app, id);
  assert.equal(await looksAt(app, id), 2);
  let expected = 2;
  const ids = new Set([id]);
  for (const [change, files] of Object.entries(variants())) {
    const changed = await uploaded(app, files);
    ids.add(changed);
    assert.equal(await looksAt(app, changed), expected, change);
    await look(app, changed);
    expected += 2;
    for (const each of ids) assert.equal(await looksAt(app, each), expected, change);
  }
  assert.equal(ids.size, 10);

  const removed = await app.inject({ method: 'DELETE', url: `/v1/datasets/${id}` });
  assert.equal(removed.statusCode, 204);
  const { testSet } = (await app.inject('/v1/models/looking/versions/1')).json();
  assert.equal(testSet.looks.total, expected);
  assert.equal(await looksAt(app, await uploaded(app, { ...form, test_labels: npy(labels(4, 1), [4]) })), 0);
});

test('looks at the built-in data set count for an upload with its test images', async (t) => {
  const { app } = await startService(t);
  await look(app, 'fashion-mnist');
  const seen = (await looksAt(app, 'fashion-mnist'))!;
  assert.ok(seen >= 2);
  const file = (name: string) => readFile(join(SMALL_DATA_DIR, `fashion_mnist_test_${name}.npy`));
  const copy = {
    train_images: npy(images(20, 10), [20, 28, 28]),
    train_labels: npy(labels(20, 10), [20]),
    test_images: await file('images'),
    test_labels: await file('labels'),
  };
  assert.equal(await looksAt(app, await uploaded(app, copy)), seen);
});
