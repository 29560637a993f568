/** Predictions of networks with convolutions: which thread computes them, beside a training job as well. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import { parseNpy } from '../../../src/formats/arrays/npy.ts';
import { uploadShaped } from '../../http/shaped-models.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import {
  cancelJob,
  endless,
  isUnderway,
  queueJob,
  startService,
  tiny,
  train,
  untilJob,
} from '../../support/start-service.ts';

const { app } = await startService({ after });
// Few images, because only the layers decide where a prediction is computed.
const { id: dataset } = await uploadShaped(app, [28, 28]);
const training = { epochs: 1, batchSize: 64 };
/** 1.2 million multiply-adds an image, so three images are below the limit of the main thread. */
const three = { convolutions: [16, 32], hidden: [128] };
/** 54,000 multiply-adds an image, but 2.4 million with the channels that pad the convolutions, so one image. */
const narrow = { convolutions: [[1, 1], [8]], hidden: [64] };
for (const [modelName, network] of Object.entries({ three, narrow })) {
  await train(app, tiny({ dataset, modelName, network, training }));
}
const { pixels } = (await loadFashionMnist(DATA_DIR)).test;

async function predict(model: string, count: number) {
  const response = await app.inject({
    method: 'POST',
    url: `/v1/models/${model}/predictions`,
    headers: { 'content-type': 'application/octet-stream', accept: 'application/x-npy' },
    payload: Buffer.from(pixels.subarray(0, 784 * count)),
  });
  assert.equal(response.statusCode, 200, response.body);
  return parseNpy(response.rawPayload).data;
}

/** Seconds for which predictions waited for a thread: 0 if the main thread computed all of them. */
async function waited(model: string): Promise<number> {
  const { body } = await app.inject('/metrics');
  const name = `atelier_prediction_duration_seconds_total{model="${model}",version="1",phase="wait"} `;
  const sample = body.split('\n').find((line) => line.startsWith(name));
  assert.ok(sample, body.match(/^atelier_prediction_.*$/gm)?.join('\n'));
  return Number(sample.slice(name.length));
}

test('images below 4 million multiply-adds are predicted on the main thread, more in the worker', async () => {
  const job = await queueJob(app, endless);
  await untilJob(app, job.id, isUnderway);
  for (const [model, inline] of [
    ['three', 3],
    ['narrow', 1],
  ] as const) {
    const few = await predict(model, inline);
    assert.equal(await waited(model), 0, model);
    const more = await predict(model, inline + 1);
    assert.ok((await waited(model)) > 0, model);
    assert.deepEqual(more.subarray(0, few.length), few);
  }
  await cancelJob(app, job.id);
});

test('each image has the same probabilities alone and in a large body', async () => {
  const many = await predict('three', 2000);
  for (const count of [1, 33]) assert.deepEqual(await predict('three', count), many.subarray(0, 2 * count));
});
