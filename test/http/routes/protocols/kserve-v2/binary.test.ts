/**
 * Binary tensor data extension of KServe v2:
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { startTrained } from './fixtures.ts';
import {
  assertError,
  binaryRequest,
  floats,
  LENGTH,
  readFloats,
  readLongs,
  readResult,
  readTexts,
} from './triton-client.ts';

const { app, images, expected } = await startTrained({ after }, { MAX_BODY_BYTES: String(2 ** 23) });
const url = '/v2/models/fashion-mnist/infer';
const flat = images.flat();
const bytes = Uint8Array.from(flat);
const unit = floats(flat.map((value) => value / 255));
const probabilities = expected.flatMap((each) => each.probabilities);
const labels = expected.map(({ label }) => label);

const image = (datatype: string, shape: number[], size: number) => ({
  name: 'image',
  shape,
  datatype,
  parameters: { binary_data_size: size },
});
/** Parameters that tritonclient sends if its caller names no outputs. */
const ALL_BINARY = { parameters: { binary_data_output: true } };

type Sent = { headers: Record<string, string>; payload: Buffer };
const send = (sent: Sent) => app.inject({ method: 'POST', url, ...sent });

async function infer(json: object, ...tensors: Uint8Array[]) {
  const response = await send(binaryRequest(json, tensors));
  assert.equal(response.statusCode, 200, response.body);
  return { response, ...readResult(response) };
}

test('a binary request gets binary outputs: float32 and int64, little-endian, in order after the JSON', async () => {
  const { response, result, tensors } = await infer(
    { id: '7', inputs: [image('FP32', [3, 784], 9408)], ...ALL_BINARY },
    unit,
  );
  assert.equal(response.headers['content-type'], 'application/octet-stream');
  assert.equal(Number(response.headers['content-length']), response.rawPayload.length);
  assert.deepEqual(result, {
    model_name: 'fashion-mnist',
    model_version: '1',
    id: '7',
    outputs: [
      { name: 'probabilities', datatype: 'FP32', shape: [3, 10], parameters: { binary_data_size: 120 } },
      { name: 'label', datatype: 'INT64', shape: [3], parameters: { binary_data_size: 24 } },
    ],
  });
  assert.deepEqual(readFloats(tensors['probabilities']!), probabilities);
  assert.deepEqual(readLongs(tensors['label']!), labels.map(BigInt));
});

test('reads every datatype of pixels, at any offset in the body', async () => {
  const halves = new Uint8Array(Float16Array.from(flat, (value) => value / 255).buffer);
  const wide = (make: (values: number[]) => ArrayBufferView) => {
    const view = make(flat);
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  };
  const tensors: Record<string, Uint8Array> = {
    UINT8: bytes,
    UINT16: wide((values) => Uint16Array.from(values)),
    UINT32: wide((values) => Uint32Array.from(values)),
    UINT64: wide((values) => BigUint64Array.from(values, BigInt)),
    INT16: wide((values) => Int16Array.from(values)),
    INT32: wide((values) => Int32Array.from(values)),
    INT64: wide((values) => BigInt64Array.from(values, BigInt)),
    FP16: halves,
    FP32: unit,
    FP64: wide((values) => Float64Array.from(values, (value) => value / 255)),
  };
  for (const [datatype, tensor] of Object.entries(tensors)) {
    // The length of the id shifts the tensor to every alignment.
    for (const id of ['', 'a', 'ab', 'abc']) {
      const { result } = await infer({ id, inputs: [image(datatype, [3, 28, 28], tensor.length)] }, tensor);
      assert.deepEqual(result.outputs[0]!.data, probabilities, `${datatype} ${id}`);
    }
  }
});

test('parameters of an output override the parameters of the request', async () => {
  const outputs = (binary: boolean | undefined) => [
    { name: 'probabilities', ...(binary !== undefined && { parameters: { binary_data: binary } }) },
    { name: 'label' },
  ];
  const inputs = [image('UINT8', [3, 784], 2352)];
  const mixed = await infer({ inputs, outputs: outputs(false), ...ALL_BINARY }, bytes);
  assert.deepEqual(Object.keys(mixed.tensors), ['label']);
  assert.deepEqual(mixed.result.outputs[0]!.data, probabilities);
  const one = await infer({ inputs, outputs: outputs(true) }, bytes);
  assert.deepEqual(Object.keys(one.tensors), ['probabilities']);
  assert.deepEqual(one.result.outputs[1]!.data, labels);
  const none = await infer({ inputs, outputs: outputs(undefined) }, bytes);
  assert.equal(none.response.headers[LENGTH], undefined);
  assert.match(String(none.response.headers['content-type']), /^application\/json/);
});

test('a JSON request can ask for binary outputs, with or without the header', async () => {
  const json = JSON.stringify({
    inputs: [{ name: 'image', shape: [3, 784], datatype: 'UINT8', data: flat }],
    outputs: [{ name: 'label', parameters: { binary_data: true } }],
  });
  const length = { [LENGTH]: String(Buffer.byteLength(json)) };
  for (const headers of [{ 'content-type': 'application/json' }, length, {}]) {
    const response = await send({ headers: headers as Record<string, string>, payload: Buffer.from(json) });
    assert.equal(response.statusCode, 200, response.body);
    assert.deepEqual(readLongs(readResult(response).tensors['label']!), labels.map(BigInt));
  }
});

test('a binary classification has strings with four-byte length prefixes', async () => {
  const outputs = (binary: boolean) => [
    { name: 'probabilities', parameters: { binary_data: binary, classification: 2 } },
  ];
  const inputs = [image('UINT8', [3, 784], 2352)];
  const { result, tensors } = await infer({ inputs, outputs: outputs(true) }, bytes);
  const { datatype, shape } = result.outputs[0]!;
  assert.deepEqual([datatype, shape], ['BYTES', [3, 2]]);
  const json = await infer({ inputs, outputs: outputs(false) }, bytes);
  assert.deepEqual(readTexts(tensors['probabilities']!), json.result.outputs[0]!.data);
});

test('with header 0 the body is one float32 tensor of any number of images, and all outputs are binary', async () => {
  for (const count of [1, 3]) {
    const payload = unit.subarray(0, count * 3136);
    const response = await send({ headers: { [LENGTH]: '0' }, payload });
    assert.equal(response.statusCode, 200, response.body);
    const { result, tensors } = readResult(response);
    assert.deepEqual(
      result.outputs.map(({ shape }) => shape),
      [[count, 10], [count]],
    );
    assert.deepEqual(readFloats(tensors['probabilities']!), probabilities.slice(0, count * 10));
    assert.deepEqual(readLongs(tensors['label']!), labels.slice(0, count).map(BigInt));
  }
});

const three = image('UINT8', [3, 784], 2352);
const NAN = floats(new Array<number>(784).fill(0));
NAN.writeFloatLE(Number.NaN, 8);
for (const [title, sent, pattern] of [
  [
    'a header that is no number',
    { ...binaryRequest({ inputs: [three] }, [bytes]), headers: { [LENGTH]: 'many' } },
    /number of bytes/,
  ],
  [
    'a negative header',
    { ...binaryRequest({ inputs: [three] }, [bytes]), headers: { [LENGTH]: '-1' } },
    /number of bytes/,
  ],
  [
    'a fractional header',
    { ...binaryRequest({ inputs: [three] }, [bytes]), headers: { [LENGTH]: '1.5' } },
    /number of bytes/,
  ],
  [
    'a header past the body',
    { ...binaryRequest({ inputs: [three] }, [bytes]), headers: { [LENGTH]: '100000' } },
    /100000, but the body has/,
  ],
  [
    'a header that cuts the JSON',
    { ...binaryRequest({ inputs: [three] }, [bytes]), headers: { [LENGTH]: '20' } },
    /JSON/,
  ],
  ['no header', { ...binaryRequest({ inputs: [three] }, [bytes]), headers: {} }, /JSON/],
  ['no header and no tensor', { ...binaryRequest({ inputs: [three] }, []), headers: {} }, /need the header/],
  [
    'a size of more than there is',
    binaryRequest({ inputs: [three] }, [bytes.subarray(1)]),
    /2352.*2351 follow/,
  ],
  ['a size of less than there is', binaryRequest({ inputs: [three] }, [bytes, bytes]), /4704 follow/],
  [
    'a size that contradicts the shape',
    binaryRequest({ inputs: [image('UINT8', [2, 784], 2352)] }, [bytes]),
    /takes 1568 bytes/,
  ],
  [
    'a size of another datatype',
    binaryRequest({ inputs: [image('FP32', [3, 784], 2352)] }, [bytes]),
    /takes 9408 bytes/,
  ],
  [
    'a negative size',
    binaryRequest({ inputs: [image('UINT8', [3, 784], -2352)] }, [bytes]),
    /binary_data_size/,
  ],
  [
    'a fractional size',
    binaryRequest({ inputs: [image('UINT8', [3, 784], 2352.5)] }, [bytes]),
    /binary_data_size/,
  ],
  [
    'dimensions whose product is past 2^53',
    binaryRequest({ inputs: [image('UINT8', [2 ** 50, 2 ** 50], 2352)] }, [bytes]),
    /takes/,
  ],
  [
    'bytes that no input claims',
    binaryRequest({ inputs: [{ ...three, parameters: {}, data: flat }] }, [bytes]),
    /no input has a binary_data_size/,
  ],
  [
    'data beside a size',
    binaryRequest({ inputs: [{ ...three, data: flat }] }, [bytes]),
    /has data and a binary_data_size/,
  ],
  [
    'binary_data that is no boolean',
    binaryRequest({ inputs: [three], outputs: [{ name: 'label', parameters: { binary_data: 1 } }] }, [bytes]),
    /binary_data/,
  ],
  [
    'binary_data_output that is no boolean',
    binaryRequest({ inputs: [three], parameters: { binary_data_output: 'true' } }, [bytes]),
    /binary_data_output/,
  ],
  ['BYTES', binaryRequest({ inputs: [image('BYTES', [1], 8)] }, [Buffer.from('\x04\0\0\0text')]), /BYTES/],
  ['NaN', binaryRequest({ inputs: [image('FP32', [1, 784], 3136)] }, [NAN]), /NaN at \[0, 2\]/],
  [
    'a raw body that ends within an image',
    { headers: { [LENGTH]: '0' }, payload: unit.subarray(1) },
    /3,136 bytes per image, but it has 9407/,
  ],
  ['a raw body of bytes', { headers: { [LENGTH]: '0' }, payload: Buffer.from(bytes) }, /it has 2352/],
  ['a raw body that is empty', { headers: { [LENGTH]: '0' }, payload: Buffer.alloc(0) }, /no body/],
] as const) {
  test(`${title}: 400`, async () => assertError(await send(sent as Sent), 400, pattern));
}

test('a gzip or deflate body is decompressed, and the header counts decompressed bytes', async () => {
  const { headers, payload } = binaryRequest({ inputs: [image('FP32', [3, 784], 9408)] }, [unit]);
  for (const [encoding, compressed] of [
    ['gzip', gzipSync(payload)],
    ['deflate', deflateSync(payload)],
  ] as const) {
    const response = await send({
      headers: { ...headers, 'content-encoding': encoding },
      payload: compressed,
    });
    assert.equal(response.statusCode, 200, response.body);
    assert.deepEqual(response.json().outputs[0].data, probabilities);
  }
});

test('a damaged, truncated or uncompressed body gives 400, a bomb 413', async () => {
  const gzip = { 'content-encoding': 'gzip' };
  const compressed = gzipSync(binaryRequest({ inputs: [three] }, [bytes]).payload);
  for (const payload of [Buffer.from('{}'), compressed.subarray(0, -9), compressed.with(20, 255)]) {
    assertError(await send({ headers: gzip, payload: Buffer.from(payload) }), 400, /decompressed/);
  }
  const bomb = gzipSync(Buffer.alloc(2 ** 23 + 1));
  assert.ok(bomb.length < 10_000);
  assertError(
    await send({ headers: gzip, payload: bomb }),
    413,
    /inflated body is larger than the limit of 8388608 bytes/,
  );
});

test('predicts 2,000 binary float32 images, as a Triton client sends them', async () => {
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const many = Buffer.concat(new Array(666).fill(unit));
  const json = {
    inputs: [image('FP32', [1998, 784], many.length)],
    outputs: [{ name: 'label', parameters: { binary_data: true } }],
  };
  const { headers, payload } = binaryRequest(json, [many]);
  const sent = httpRequest({ port, path: url, method: 'POST', headers });
  sent.end(payload);
  const [response] = await once(sent, 'response');
  const body = await buffer(response);
  assert.equal(response.statusCode, 200);
  const length = Number(response.headers[LENGTH]);
  assert.deepEqual(
    readLongs(body.subarray(length)),
    Array.from({ length: 1998 }, (_, n) => BigInt(labels[n % 3]!)),
  );
});
