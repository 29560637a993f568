/** Predictions of the other protocols for images of several shapes. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { LightMyRequestResponse } from 'fastify';
import { arrayShapes, IMAGE_SHAPES, toPlanes, toRows } from '../../../support/shaped-images.ts';
import { startService } from '../../../support/start-service.ts';
import { PREDICTED, type ShapedModel, trainShaped } from '../../shaped-models.ts';
import { binaryRequest, LENGTH, readFloats, readResult } from './kserve-v2/triton-client.ts';

const { app } = await startService({ after });
const models: ShapedModel[] = [];
for (const shape of IMAGE_SHAPES) models.push(await trainShaped(app, shape));
const [small, wide, , colour] = models as [ShapedModel, ShapedModel, ShapedModel, ShapedModel];

const post = (url: string, payload: object | string | Buffer, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url, payload, headers });

async function ok(sent: Promise<LightMyRequestResponse>) {
  const response = await sent;
  assert.equal(response.statusCode, 200, response.body);
  return response.json();
}

/** Rows with a channel: 28×28×1. */
const withChannel = (rows: unknown[][]) =>
  rows.map((row) => row.map((value) => (Array.isArray(value) ? value : [value])));

for (const { name, shape, values, pixels, images, pngs, expected } of models) {
  const { last, first } = arrayShapes(shape, PREDICTED);
  const floats = Float32Array.from(pixels, (value) => value / 255);
  const isDefault = shape.join() === '28,28';
  const described = isDefault ? [784] : shape;
  /** Nested planes. */
  const planar = images.map((image) => {
    const planes = toPlanes(image, shape);
    const [height, width, channels = 1] = shape;
    const plane = height * width;
    return Array.from({ length: channels }, (_, c) =>
      toRows(planes.subarray(c * plane, (c + 1) * plane), [height, width]),
    );
  });

  describe(`a model of images of ${shape.join('×')}`, () => {
    const infer = async (body: object) => {
      const { outputs } = await ok(post(`/v2/models/${name}/infer`, body));
      const [{ data, shape: size }] = outputs;
      assert.deepEqual(size, [PREDICTED, 2]);
      return data;
    };
    const input = (datatype: string, form: readonly number[], data: unknown) => ({
      inputs: [{ name: 'image', datatype, shape: form, data }],
    });

    test('is described with its shape by every protocol', async () => {
      const { inputs } = (await app.inject(`/v2/models/${name}`)).json();
      assert.deepEqual(inputs, [{ name: 'image', datatype: 'FP32', shape: [-1, ...described] }]);
      const config = (await app.inject(`/v2/models/${name}/config`)).json();
      assert.deepEqual(config.input[0].dims, described);
      const { metadata } = (await app.inject(`/v1/models/${name}/metadata`)).json();
      const { dim } = metadata.signature_def.signature_def.serving_default.inputs.image.tensor_shape;
      assert.deepEqual(
        dim.map(({ size }: { size: string }) => Number(size)),
        [-1, ...described],
      );
    });

    test('gives the same probabilities in the Open Inference Protocol, in every layout', async () => {
      const bytes = Array.from(pixels);
      const numbers = Array.from(pixels, (value) => value / 255);
      for (const form of [[PREDICTED, values], ...last]) {
        assert.deepEqual(await infer(input('UINT8', form, bytes)), expected.flat(), `${form}`);
        assert.deepEqual(await infer(input('FP64', form, numbers)), expected.flat(), `${form}`);
        assert.deepEqual(await infer(input('FP32', form, [...floats])), expected.flat(), `${form}`);
      }
      for (const form of first) {
        assert.deepEqual(
          await infer(input('UINT8', form, [...toPlanes(pixels, shape)])),
          expected.flat(),
          `${form}`,
        );
        assert.deepEqual(
          await infer(input('FP32', form, [...toPlanes(floats, shape)])),
          expected.flat(),
          `${form}`,
        );
        assert.deepEqual(await infer(input('UINT8', form, planar)), expected.flat(), `${form}`);
      }
      const nested = images.map((image) => toRows(image, shape));
      assert.deepEqual(await infer(input('UINT8', last[0]!, nested)), expected.flat());
    });

    test('gives the same probabilities for binary tensors and a raw tensor', async () => {
      for (const [form, tensor, datatype] of [
        [[PREDICTED, values], pixels, 'UINT8'],
        [last[0]!, pixels, 'UINT8'],
        [first[0]!, toPlanes(pixels, shape), 'UINT8'],
        [last[0]!, floats, 'FP32'],
        [first[0]!, toPlanes(floats, shape), 'FP32'],
      ] as const) {
        const binary = {
          name: 'image',
          datatype,
          shape: form,
          parameters: { binary_data_size: tensor.byteLength },
        };
        const bytes = new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength);
        const { payload, headers } = binaryRequest({ inputs: [binary] }, [bytes]);
        const { outputs } = await ok(post(`/v2/models/${name}/infer`, payload, headers));
        assert.deepEqual(outputs[0].data, expected.flat(), `${form}, ${datatype}`);
      }
      const raw = await post(`/v2/models/${name}/infer`, Buffer.from(floats.buffer), { [LENGTH]: '0' });
      assert.equal(raw.statusCode, 200, raw.body);
      assert.deepEqual(readFloats(readResult(raw).tensors['probabilities']!), expected.flat());
    });

    test('gives the same probabilities in the API of TensorFlow Serving', async () => {
      const predict = (body: object) => ok(post(`/v1/models/${name}:predict`, JSON.stringify(body)));
      const rows = images.map((image) => toRows(image, shape));
      for (const instances of [
        images.map((image) => [...image]),
        rows,
        rows.map(withChannel),
        planar,
        images.map((image) => Array.from(image, (value) => value / 255)),
      ]) {
        assert.deepEqual(await predict({ instances }), { predictions: expected });
        assert.deepEqual(await predict({ inputs: instances }), { outputs: expected });
      }
      const encoded = pngs.map((png) => ({ b64: png.toString('base64') }));
      assert.deepEqual(await predict({ instances: encoded }), { predictions: expected });
    });

    test('gives the same probabilities in the scoring of MLflow', async () => {
      const url = `/invocations?model=${name}`;
      const invoke = (body: object | string, type = 'application/json') =>
        ok(post(url, typeof body === 'string' ? body : JSON.stringify(body), { 'content-type': type }));
      const flat = images.map((image) => [...image]);
      const rows = images.map((image) => toRows(image, shape));
      const columns = flat[0]!.map((_, n) => `pixel${n}`);
      for (const body of [
        { inputs: flat },
        { inputs: rows },
        { inputs: planar },
        { instances: rows },
        { dataframe_split: { columns, data: flat } },
        { dataframe_split: { columns: ['image'], data: rows.map((image) => [image]) } },
        {
          dataframe_records: flat.map((image) =>
            Object.fromEntries(image.map((value, n) => [columns[n], value])),
          ),
        },
        { inputs: pngs.map((png) => png.toString('base64')) },
      ])
        assert.deepEqual(await invoke(body), { predictions: expected }, JSON.stringify(body).slice(0, 60));
      const csv = [columns, ...flat].map((row) => row.join()).join('\n');
      assert.deepEqual(await invoke(csv, 'text/csv'), { predictions: expected });
      assert.deepEqual(await invoke(csv.slice(csv.indexOf('\n') + 1), 'text/csv'), { predictions: expected });
      // A row of 32×32×3 takes 77 KB.
      const long = flat.map((row) => Array.from(row, (value) => (value / 255).toFixed(22)).join()).join('\n');
      assert.deepEqual(await invoke(long, 'text/csv'), { predictions: expected });
    });

    test('explains images in the protocol of KServe v1 as in the native one', async () => {
      const native = await ok(
        post(`/v1/models/${name}/versions/1/explanations`, pngs[0]!, { 'content-type': 'image/png' }),
      );
      const rows = toRows(images[0]!, shape);
      for (const instance of [[...images[0]!], rows, planar[0]!, { b64: pngs[0]!.toString('base64') }]) {
        const { explanations } = await ok(
          post(`/v1/models/${name}:explain`, JSON.stringify({ instances: [instance] })),
        );
        assert.deepEqual(explanations, [native]);
      }
    });
  });
}

test('every protocol rejects images of another shape with 400, the shape received and those allowed', async () => {
  const square = (side: number) => Array.from({ length: side }, () => new Array<number>(side).fill(7));
  const cases: [url: string, body: object | string, message: RegExp, type?: string][] = [
    [
      `/v2/models/${small.name}/infer`,
      { inputs: [{ name: 'image', datatype: 'UINT8', shape: [1, 28, 28], data: square(28) }] },
      /\[1, 28, 28\]|\(1, 28, 28\).*allowed: .*8, 8/,
    ],
    [
      `/v2/models/${colour.name}/infer`,
      {
        inputs: [{ name: 'image', datatype: 'UINT8', shape: [1, 4, 32, 32], data: new Array(4096).fill(0) }],
      },
      /4, 32, 32.*allowed: .*n, 3, 32, 32/,
    ],
    [`/v1/models/${wide.name}:predict`, { instances: [square(28)] }, /28, 28.*allowed: .*20, 44/],
    [`/v1/models/${colour.name}:predict`, { inputs: [square(32)] }, /32, 32.*allowed: .*32, 32, 3/],
    [`/v1/models/${colour.name}:explain`, { instances: [square(32)] }, /32, 32.*allowed: .*32, 32, 3/],
    [`/invocations?model=${small.name}`, { inputs: [square(28)] }, /28, 28.*allowed: .*8, 8/],
    [`/invocations?model=${small.name}`, `${new Array(784).fill(0).join()}\n`, /784.* 64/, 'text/csv'],
    [`/invocations?model=${wide.name}`, { dataframe_split: { data: [new Array(784).fill(0)] } }, /784.*880/],
  ];
  for (const [url, body, message, type = 'application/json'] of cases) {
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await post(url, payload, { 'content-type': type });
    assert.equal(response.statusCode, 400, `${url}: ${response.body}`);
    const { error, message: text } = response.json();
    assert.match(error ?? text, message, url);
  }
  const raw = await post(`/v2/models/${colour.name}/infer`, Buffer.alloc(4 * 3071), { [LENGTH]: '0' });
  assert.equal(raw.statusCode, 400);
  assert.match(raw.json().error, /n × 3072 FP32, 12,288 bytes per image, but it has 12284 bytes/);
});
