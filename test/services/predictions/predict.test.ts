import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { after, test } from 'node:test';
import { loadFashionMnist } from '../../../src/datasets/fashion-mnist.ts';
import { npyBytes, parseNpy } from '../../../src/formats/arrays/npy.ts';
import type { Predictions } from '../../../src/protocols/native/schema.ts';
import { createPredictionService } from '../../../src/services/predictions/predict.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { dense } from '../../support/dense.ts';
import { assertProblem, startService, tiny, train } from '../../support/start-service.ts';

const { app } = await startService({ after }, { DATA_DIR });
const training = { epochs: 1, batchSize: 64, validation: { fraction: 0.1 } };
const job = await train(app, tiny({ training }));
const { pixels, labels } = (await loadFashionMnist(DATA_DIR)).test;
const bytes = new Uint8Array(pixels);

type Sent = Awaited<ReturnType<typeof app.inject>>;
const send = (type: string, payload: Uint8Array | string, accept = 'application/json', query = '') =>
  app.inject({
    method: 'POST',
    url: `/v1/models/fashion-mnist/predictions${query}`,
    headers: { 'content-type': type, accept },
    payload:
      typeof payload === 'string'
        ? payload
        : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
  });

/** Number of consecutive small requests that completed before the large one, at most 10. */
async function countCompletedBefore(big: Promise<Sent>): Promise<number> {
  let waiting = true;
  const done = big.finally(() => {
    waiting = false;
  });
  let answered = 0;
  while (waiting && answered < 10) {
    const small = await send('application/octet-stream', bytes.subarray(0, 784));
    assert.equal(small.statusCode, 200);
    answered += waiting ? 1 : 0;
  }
  await done;
  return answered;
}

function json(): string {
  const images = Array.from(labels, (_, n) => `[${bytes.subarray(n * 784, (n + 1) * 784).join()}]`);
  return `{"images":[${images.join()}]}`;
}

const bodies: [title: string, type: string, make: () => Uint8Array | string][] = [
  ['raw bytes', 'application/octet-stream', () => bytes],
  ['npy of bytes', 'application/x-npy', () => npyBytes(bytes, [10_000, 28, 28])],
  [
    'npy of floats',
    'application/x-npy',
    () =>
      npyBytes(
        Float32Array.from(bytes, (v) => v / 255),
        [10_000, 784],
      ),
  ],
  ['JSON', 'application/json', json],
];
let first: Predictions | undefined;
for (const [title, type, make] of bodies) {
  test(`10,000 images as ${title} do not block other requests`, async () => {
    const big = send(type, make());
    assert.ok((await countCompletedBefore(big)) >= 3);
    const response = await big;
    assert.equal(response.statusCode, 200);
    const { model, predictions } = response.json<Predictions>();
    assert.deepEqual(model, job.model);
    assert.equal(predictions.length, 10_000);
    const correct = predictions.filter(({ label }, n) => label === labels[n]).length;
    assert.equal(correct / 10_000, job.latest?.testAccuracy, 'what was measured in training');
    first ??= { model, predictions };
    assert.deepEqual(predictions, first.predictions);
  });
}

test('worker and main thread give the same probabilities', async () => {
  for (const count of [1, 64, 65]) {
    const response = await send('application/octet-stream', bytes.subarray(0, count * 784));
    assert.deepEqual(response.json().predictions, first!.predictions.slice(0, count));
  }
});

test('worker and main thread give the same npy, top-k and logits', async () => {
  const many = bytes.subarray(0, 100 * 784);
  const npy = await send('application/octet-stream', many, 'application/x-npy');
  const { shape, data } = parseNpy(npy.rawPayload);
  assert.deepEqual(shape, [100, 10]);
  assert.equal((data as Float32Array)[0], Math.fround(first!.predictions[0]!.probabilities![0]!));
  const options = '?topK=2&logits=true';
  const whole = await send('application/octet-stream', many, 'application/json', options);
  const one = await send('application/octet-stream', many.subarray(0, 784), 'application/json', options);
  assert.deepEqual(whole.json().predictions[0], one.json().predictions[0]);
});

await app.listen({ port: 0, host: '127.0.0.1' });
const { port } = app.server.address() as AddressInfo;

/** Sends a body over a connection, in chunks as a client sends it. */
async function post(type: string, body: Uint8Array, accept: string, query: string): Promise<Buffer> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/models/fashion-mnist/predictions?${query}`, {
    method: 'POST',
    headers: { 'content-type': type, accept },
    body: new Uint8Array(body),
  });
  assert.equal(response.status, 200);
  return Buffer.from(await response.arrayBuffer());
}

test('images that are predicted while they arrive give the same response', async () => {
  const npy = npyBytes(bytes, [10_000, 28, 28]);
  for (const [accept, query] of [
    ['application/x-npy', ''],
    ['application/json', 'topK=2&logits=true'],
  ] as const) {
    // A stated range of pixels is an option that applies to the whole body, so it is read first.
    const whole = await post('application/x-npy', npy, accept, `${query}&pixels=0-255`);
    for (const [type, body] of [
      ['application/x-npy', npy],
      ['application/octet-stream', bytes],
    ] as const) {
      assert.ok((await post(type, body, accept, query)).equals(whole));
    }
  }
});

test('clients that disconnect while their images are predicted do not disturb others', async () => {
  const expected = await post('application/octet-stream', bytes, 'application/x-npy', '');
  for (const sent of [bytes.length / 2, bytes.length]) {
    const received = once(app.server, 'request');
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.write(
      `POST /v1/models/fashion-mnist/predictions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/octet-stream\r\ncontent-length: ${bytes.length}\r\n\r\n`,
    );
    await received;
    await new Promise<void>((resolve) => socket.write(bytes.subarray(0, sent), () => resolve()));
    socket.destroy();
    assert.ok((await post('application/octet-stream', bytes, 'application/x-npy', '')).equals(expected));
  }
});

test('the worker reports a defect deep inside a large body with its position', async () => {
  const broken = json().replace(/,\d+\]\]\}$/, ',256]]}');
  assertProblem(await send('application/json', broken), 422, 'invalid-pixels', '#/images/9999/783');
  const floats = new Float32Array(1000 * 784);
  floats[999 * 784 + 5] = Number.NaN;
  const problem = assertProblem(
    await send('application/x-npy', npyBytes(floats, [1000, 784])),
    422,
    'invalid-pixels',
  );
  assert.match(problem.detail, /pixel at \[999, 5\] is NaN/);
});

test('few images of a large network are computed in the worker, with the same result as each alone', async () => {
  await train(app, tiny({ modelName: 'wide', network: { hidden: [80] } }));
  const predict = async (images: Uint8Array) => {
    const response = await app.inject({
      method: 'POST',
      url: '/v1/models/wide/predictions',
      headers: { 'content-type': 'application/octet-stream' },
      payload: Buffer.from(images),
    });
    return response.json<Predictions>().predictions;
  };
  const together = await predict(bytes.subarray(0, 64 * 784));
  assert.equal(together.length, 64);
  assert.deepEqual(await predict(bytes.subarray(0, 784)), together.slice(0, 1));
});

test('streamed images are calibrated if their request has a coverage or asks for it', async () => {
  type Options = Parameters<typeof createPredictionService>;
  const model = { reference: { name: 'a', version: 1 }, architecture: dense([4, 1]), multiplyAdds: 4 };
  const loads: unknown[] = [];
  const tasks: unknown[] = [];
  const pool = {
    size: 1,
    async run(_name: string, { guarantee }: { guarantee: unknown }) {
      tasks.push(guarantee);
      return { computeMs: 1 };
    },
  };
  const outliers = { spaces: [] };
  const service = createPredictionService(
    { loaded: (name: string) => (name === 'a' ? model : undefined) } as unknown as Options[0],
    pool as unknown as Options[1],
    () => assert.fail(),
    {
      async load(reference) {
        loads.push(reference);
        return { outliers } as never;
      },
      loadIfAny: () => assert.fail(),
    },
    () => assert.fail(),
    {} as Options[5],
  );
  const none = { calibrated: false };
  for (const query of [none, { ...none, coverage: 0.9 }, { calibrated: true }]) {
    const stream = service.stream({ name: 'a' } as never, query as never)!;
    stream.write(new Uint8Array(4));
    await stream.end(new AbortController().signal);
  }
  assert.deepEqual(tasks, [null, { coverage: 0.9, calibrated: false }, { coverage: null, calibrated: true }]);
  assert.deepEqual(loads, [model.reference, model.reference]);
  assert.equal(service.stream({ name: 'b' } as never, none as never), undefined);
});
