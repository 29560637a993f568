/**
 * Triton's model configuration, and the programs that read it, with their requests byte by byte:
 * https://github.com/triton-inference-server/client/blob/main/src/python/examples/image_client.py
 * https://github.com/triton-inference-server/perf_analyzer/blob/main/src/model_parser.cc
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { npyBytes } from '../../../../../src/formats/arrays/npy.ts';
import { importFile } from '../../../import-file.ts';
import { startTrained } from './fixtures.ts';
import { assertError, binaryRequest, inferJson, readFloats, readResult, readTexts } from './triton-client.ts';

const { app, images, expected } = await startTrained({ after }, { MAX_BODY_BYTES: String(2 ** 20) });
const MODEL = 'fashion-mnist';
/** Python's client quotes names; the C++ client does not. */
const QUOTED = `${MODEL}%3Aimage`;
const get = async (url: string) => {
  const response = await app.inject(url);
  assert.equal(response.statusCode, 200, response.body);
  return response.json();
};
interface Tensor {
  readonly name: string;
  readonly data_type: string;
  readonly dims: number[];
}

test('the configuration has the tensors of the metadata without the batch dimension', async () => {
  const config = await get(`/v2/models/${MODEL}/config`);
  assert.deepEqual(config, {
    name: MODEL,
    platform: 'atelier',
    backend: 'atelier',
    version_policy: { all: {} },
    max_batch_size: 333,
    input: [
      {
        name: 'image',
        data_type: 'TYPE_FP32',
        format: 'FORMAT_NONE',
        dims: [784],
        is_shape_tensor: false,
        optional: false,
      },
    ],
    output: [
      {
        name: 'probabilities',
        data_type: 'TYPE_FP32',
        dims: [10],
        label_filename: 'labels.txt',
        is_shape_tensor: false,
      },
      {
        name: 'label',
        data_type: 'TYPE_INT64',
        dims: [1],
        reshape: { shape: [] },
        label_filename: '',
        is_shape_tensor: false,
      },
    ],
    model_transaction_policy: { decoupled: false },
  });
  assert.deepEqual(await get(`/v2/models/${MODEL}/versions/1/config`), config);
  for (const name of [MODEL, `${MODEL}:image`]) {
    const { inputs, outputs } = await get(`/v2/models/${name}`);
    const { max_batch_size, input, output } = await get(`/v2/models/${name}/config`);
    assert.ok(max_batch_size > 0);
    for (const [described, configured] of [
      [inputs, input],
      [outputs, output],
    ]) {
      const tensors = configured.map(({ name, data_type, dims, reshape }: Tensor & { reshape?: object }) => ({
        name,
        datatype: data_type.replace('TYPE_', ''),
        shape: [-1, ...(reshape ? [] : dims)],
      }));
      assert.deepEqual(described, tensors);
    }
  }
  assertError(await app.inject('/v2/models/nope/config'), 404, /Model nope does not exist/);
  assertError(await app.inject(`/v2/models/${MODEL}/versions/7/config`), 404, /has no version 7/);
});

test('a batch of max_batch_size fits into a body', async () => {
  const { max_batch_size: count } = await get(`/v2/models/${MODEL}/config`);
  const tensor = Buffer.alloc(count * 3136);
  const input = {
    name: 'image',
    shape: [count, 784],
    datatype: 'FP32',
    parameters: { binary_data_size: tensor.length },
  };
  const request = binaryRequest({ inputs: [input], outputs: [{ name: 'label' }] }, [tensor]);
  const response = await app.inject({ method: 'POST', url: `/v2/models/${MODEL}/infer`, ...request });
  assert.equal(response.statusCode, 200, response.body);
  assert.deepEqual(response.json().outputs[0].shape, [count]);
});

/** parse_model of image_client.py: its checks, in their order. */
async function parseModel() {
  const metadata = await get(`/v2/models/${QUOTED}`);
  const config = await get(`/v2/models/${QUOTED}/config`);
  assert.equal(metadata.inputs.length, 1, 'expecting 1 input');
  assert.equal(metadata.outputs.length, 1, 'expecting 1 output');
  assert.equal(config.input.length, 1, 'expecting 1 input in model configuration');
  const [[input], [output]] = [metadata.inputs, metadata.outputs];
  assert.equal(output.datatype, 'FP32', 'expecting output datatype to be FP32');
  const batched = config.max_batch_size > 0 ? 1 : 0;
  const wide = output.shape.slice(batched).filter((size: number) => size > 1);
  assert.ok(wide.length <= 1, 'expecting model output to be a vector');
  assert.equal(input.shape.length, 3 + batched, 'expecting input to have 3 dimensions');
  const { format } = config.input[0];
  assert.ok(['FORMAT_NCHW', 'FORMAT_NHWC'].includes(format), 'unexpected input format');
  const [c, h, w] = input.shape.slice(batched);
  return { input, output, batched, c, h, w };
}

test('image_client.py -m fashion-mnist:image classifies images of 0–255 without scaling', async () => {
  const { input, output, batched, c, h, w } = await parseModel();
  assert.deepEqual([batched, c, h, w, input.datatype], [1, 1, 28, 28, 'UINT8']);
  for (const count of [1, 3]) {
    const tensor = Buffer.from(images.slice(0, count).flat());
    // tritonclient: separators without spaces, the request id only if there is one.
    const json = {
      inputs: [
        {
          name: input.name,
          shape: [count, c, h, w],
          datatype: input.datatype,
          parameters: { binary_data_size: tensor.length },
        },
      ],
      outputs: [{ name: output.name, parameters: { classification: 2, binary_data: true } }],
    };
    const url = `/v2/models/${QUOTED}/infer`;
    const response = await app.inject({ method: 'POST', url, ...binaryRequest(json, [tensor]) });
    assert.equal(response.statusCode, 200, response.body);
    const { result, tensors } = readResult(response);
    assert.deepEqual(result.outputs[0]!.shape, [count, 2]);
    const [value, label, className] = readTexts(tensors[output.name]!)[0]!.split(':');
    assert.deepEqual([Number(label), className], [expected[0]!.label, expected[0]!.className]);
    assert.ok(Math.abs(Number(value) - Math.max(...expected[0]!.probabilities)) < 1e-6);
  }
});

test('perf_analyzer -m fashion-mnist:image runs with its random bytes, and finds its statistics', async () => {
  const { extensions } = await get('/v2');
  assert.ok(extensions.includes('model_configuration') && extensions.includes('statistics'));
  assert.deepEqual(await get(`/v2/models/${MODEL}:image/ready`), { name: `${MODEL}:image`, ready: true });
  const { name, inputs, outputs } = await get(`/v2/models/${MODEL}:image`);
  const stats = async () => {
    const { model_stats } = await get(`/v2/models/${MODEL}:image/stats`);
    const own = model_stats.filter((each: { name: string }) => each.name === name);
    assert.equal(own.length, 1);
    return own[0].inference_count;
  };
  const before = await stats();
  const tensor = Buffer.from(Array.from({ length: 784 }, (_, i) => (i * 7919) % 256));
  // PrepareRequestJson of http_client.cc: the id is always there, and every requested output is binary.
  const json = {
    id: '',
    inputs: [
      {
        name: inputs[0].name,
        datatype: inputs[0].datatype,
        shape: [1, ...inputs[0].shape.slice(1)],
        parameters: { binary_data_size: tensor.length },
      },
    ],
    outputs: outputs.map((each: { name: string }) => ({
      name: each.name,
      parameters: { binary_data: true },
    })),
  };
  const { headers, payload } = binaryRequest(json, [tensor]);
  const response = await app.inject({
    method: 'POST',
    url: `/v2/models/${MODEL}:image/infer`,
    headers: { ...headers, accept: '*/*', 'content-type': 'application/octet-stream' },
    payload,
  });
  assert.equal(response.statusCode, 200, response.body);
  const { result, tensors } = readResult(response);
  assert.equal(result.id, '');
  assert.equal(readFloats(tensors['probabilities']!).length, 10);
  assert.equal(await stats(), before + 1);
});

test('fashion-mnist:image has one output, and a raw tensor of bytes', async () => {
  const url = `/v2/models/${MODEL}:image/infer`;
  const inputs = [{ name: 'image', shape: [1, 1, 28, 28], datatype: 'UINT8', data: images[0] }];
  const { model_name, outputs } = (await inferJson(app, { inputs }, url)).json();
  assert.equal(model_name, `${MODEL}:image`);
  assert.deepEqual(
    outputs.map(({ name }: { name: string }) => name),
    ['probabilities'],
  );
  const raw = { headers: { 'inference-header-content-length': '0' }, payload: Buffer.from(images.flat()) };
  const { result, tensors } = readResult(await app.inject({ method: 'POST', url, ...raw }));
  assert.equal(result.model_name, `${MODEL}:image`);
  assert.deepEqual(Object.keys(tensors), ['probabilities']);
  assert.deepEqual(result.outputs[0]!.shape, [3, 10]);
  assertError(await app.inject(`/v2/models/nope:image`), 404, /Model nope does not exist/);
  assertError(await app.inject(`/v2/models/${MODEL}:picture`), 404);
});

test('models named stats and config are reachable', async () => {
  const parameters = npyBytes(new Float32Array(784 * 10 + 10), [784 * 10 + 10]);
  for (const name of ['stats', 'config']) {
    const imported = await importFile(app, parameters, { name, hidden: '[]' });
    assert.equal(imported.statusCode, 201, imported.body);
    assert.equal((await get(`/v2/models/${name}/versions/1`)).name, name);
    for (const path of ['config', 'versions/1/config', 'ready']) {
      assert.equal((await get(`/v2/models/${name}/${path}`)).name, name, path);
    }
    assert.equal((await get(`/v2/models/${name}/stats`)).model_stats[0].name, name);
  }
  assert.equal((await get('/v2/models/config')).name, 'config');
  assert.ok((await get('/v2/models/stats')).model_stats.length >= 3, 'the statistics of all models');
});
