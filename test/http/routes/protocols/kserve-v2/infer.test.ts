/**
 * KServe v2 inference with JSON:
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { predictOwn, startTrained } from './fixtures.ts';
import { assertError, inferJson, type Output, type Result } from './triton-client.ts';

const { app, images, expected } = await startTrained({ after });
const flat = images.flat();
const rows = (image: readonly number[]) =>
  Array.from({ length: 28 }, (_, n) => image.slice(28 * n, 28 * n + 28));
const unit = (values: readonly number[]) => values.map((value) => value / 255);

const input = (datatype: string, shape: number[], data: unknown) => ({
  name: 'image',
  shape,
  datatype,
  data,
});

async function infer(body: object): Promise<Result> {
  const response = await inferJson(app, body);
  assert.equal(response.statusCode, 200, response.body);
  assert.equal(response.headers['content-type'], 'application/json');
  assert.equal(response.headers['inference-header-content-length'], undefined);
  return response.json();
}

const outputOf = ({ outputs }: Result, name: string): Output =>
  outputs.find((output) => output.name === name)!;

function assertPredicts(result: Result, indices: readonly number[]): void {
  const wanted = indices.map((n) => expected[n]!);
  assert.deepEqual(result.outputs, [
    {
      name: 'probabilities',
      datatype: 'FP32',
      shape: [indices.length, 10],
      data: wanted.flatMap(({ probabilities }) => probabilities),
    },
    { name: 'label', datatype: 'INT64', shape: [indices.length], data: wanted.map(({ label }) => label) },
  ]);
}

test('the response has model_name, model_version and all outputs, and only a given id', async () => {
  const result = await infer({ inputs: [input('UINT8', [3, 784], flat)] });
  assert.deepEqual(Object.keys(result), ['model_name', 'model_version', 'outputs']);
  assert.deepEqual([result.model_name, result.model_version], ['fashion-mnist', '1']);
  assertPredicts(result, [0, 1, 2]);
});

test('returns the id unchanged', async () => {
  for (const id of ['42', '', 'ünïcode "quoted"', 'x'.repeat(1000)]) {
    assert.equal((await infer({ id, inputs: [input('UINT8', [1, 784], images[0])] })).id, id);
  }
});

test('accepts nested and flat data, in every shape of an image', async () => {
  const image = images[0]!;
  for (const [shape, data] of [
    [[1, 784], image],
    [[1, 784], [image]],
    [[784], image],
    [[28, 28], rows(image)],
    [[28, 28], image],
    [[1, 28, 28], [rows(image)]],
    [[1, 28, 28], image],
    [[1, 1, 28, 28], [[rows(image)]]],
    [[1, 28, 28, 1], image],
  ] as const) {
    assertPredicts(await infer({ inputs: [input('UINT8', [...shape], data)] }), [0]);
  }
  for (const data of [flat, images, images.map(rows)]) {
    assertPredicts(await infer({ inputs: [input('UINT8', [3, 28, 28], data)] }), [0, 1, 2]);
  }
});

test('FP32 and FP64 are pixels from 0 to 1, integers from 0 to 255', async () => {
  for (const datatype of ['FP32', 'FP64']) {
    assertPredicts(await infer({ inputs: [input(datatype, [3, 784], unit(flat))] }), [0, 1, 2]);
  }
  for (const datatype of ['UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT16', 'INT32', 'INT64']) {
    assertPredicts(await infer({ inputs: [input(datatype, [3, 784], flat)] }), [0, 1, 2]);
  }
  // Integer pixels are 0–255, so an image of zeros and ones is almost black.
  const bits = images[0]!.map((value) => (value > 127 ? 1 : 0));
  const [dark] = await predictOwn(app, [bits]);
  const result = await infer({ inputs: [input('UINT8', [1, 784], bits)] });
  assert.deepEqual(outputOf(result, 'probabilities').data, dark!.probabilities);
  const [bright] = await predictOwn(app, [bits.map((value) => value * 255)]);
  const floating = await infer({ inputs: [input('FP32', [1, 784], bits)] });
  assert.deepEqual(outputOf(floating, 'probabilities').data, bright!.probabilities);
});

test('returns the requested outputs in the requested order', async () => {
  const names = async (outputs: object[] | null) =>
    (await infer({ inputs: [input('UINT8', [784], images[0])], outputs })).outputs.map(({ name }) => name);
  assert.deepEqual(await names([{ name: 'label' }]), ['label']);
  assert.deepEqual(await names([{ name: 'label' }, { name: 'probabilities' }]), ['label', 'probabilities']);
  assert.deepEqual(await names([{ name: 'probabilities' }, { name: 'label' }]), ['probabilities', 'label']);
  assert.deepEqual(await names([]), ['probabilities', 'label']);
  assert.deepEqual(await names(null), ['probabilities', 'label']);
});

test('ignores parameters of other servers and extra fields of clients', async () => {
  const parameters = { priority: 1, timeout: 5, sequence_id: 'a', sequence_start: true, custom: 0.5 };
  const result = await infer({
    model_name: 'fashion-mnist',
    id: 'kserve',
    parameters,
    inputs: [{ ...input('UINT8', [1, 784], images[0]), parameters: { content_type: 'np' } }],
    outputs: [{ name: 'label', parameters: { content_type: 'np' } }],
  });
  assert.deepEqual(outputOf(result, 'label').data, [expected[0]!.label]);
});

test("accepts JSON as application/json, octet-stream, curl's default, and without a type", async () => {
  const payload = JSON.stringify({ inputs: [input('UINT8', [1, 784], images[0])] });
  for (const type of [
    'application/json; charset=utf-8',
    'application/octet-stream',
    'application/x-www-form-urlencoded',
    '',
  ]) {
    const headers = type === '' ? {} : { 'content-type': type };
    const url = '/v2/models/fashion-mnist/infer';
    const response = await app.inject({ method: 'POST', url, headers, payload: Buffer.from(payload) });
    assert.equal(response.statusCode, 200, response.body);
    assertPredicts(response.json(), [0]);
  }
});

test('treats null fields of pydantic clients as absent', async () => {
  const result = await infer({
    id: null,
    parameters: null,
    outputs: null,
    inputs: [{ ...input('UINT8', [1, 784], images[0]), parameters: null }],
  });
  assertPredicts(result, [0]);
  assert.equal('id' in result, false);
});

test('the classification extension returns BYTES [n, k] of "value:index:label", the most probable first', async () => {
  for (const k of [1, 3, 10]) {
    const result = await infer({
      inputs: [input('UINT8', [3, 784], flat)],
      outputs: [{ name: 'probabilities', parameters: { classification: k } }],
    });
    const { datatype, shape, data } = outputOf(result, 'probabilities');
    assert.deepEqual([datatype, shape], ['BYTES', [3, k]]);
    const classes = await app.inject('/v1/datasets/fashion-mnist');
    const { classNames } = classes.json();
    for (const [n, { probabilities }] of expected.entries()) {
      const ranked = probabilities
        .map((value, index) => ({ value, index }))
        .toSorted((a, b) => b.value - a.value || a.index - b.index)
        .slice(0, k);
      for (const [i, { value, index }] of ranked.entries()) {
        const [shown, at, ...label] = String(data![n * k + i]).split(':');
        assert.ok(Math.abs(Number(shown) - value) < 1e-9, `${shown} is ${value}`);
        assert.deepEqual([Number(at), label.join(':')], [index, classNames[index]]);
      }
    }
  }
});

test('a count above the number of classes returns all, and 0 means no classification', async () => {
  const asked = async (classification: number) =>
    outputOf(
      await infer({
        inputs: [input('UINT8', [784], images[0])],
        outputs: [{ name: 'probabilities', parameters: { classification } }],
      }),
      'probabilities',
    );
  assert.deepEqual((await asked(1000)).shape, [1, 10]);
  assert.deepEqual((await asked(0)).datatype, 'FP32');
});

const image = images[0]!;
const valid = input('UINT8', [1, 784], image);
const body = (changes: object) => ({ inputs: [{ ...valid, ...changes }] });
for (const [title, sent, pattern] of [
  ['too few elements', body({ data: image.slice(1) }), /has 783 elements; shape \(1, 784\) has 784/],
  ['too many elements', body({ data: [...image, 0] }), /785/],
  ['a shape of more', body({ shape: [2, 784] }), /784 elements; shape \(2, 784\) has 1568/],
  ['ragged rows', body({ shape: [28, 28], data: rows(image).with(3, [0]) }), /data\/3 has 1 elements/],
  ['rows that are not arrays', body({ data: [image, 5] }), /data\/1 is a number/],
  ['a number where a row is', body({ data: [5, image] }), /data\/1 is an array/],
  ['text for a number', body({ data: image.with(7, '0' as never) }), /data\/7 is a string/],
  ['null for a number', body({ data: image.with(7, null as never) }), /data\/7 is null/],
  ['true for a number', body({ data: image.with(7, true as never) }), /data\/7 is a boolean/],
  ['no data', body({ data: undefined }), /data is missing/],
  ['data that is no array', body({ data: 'AAAA' }), /data is a string/],
  ['data that is an object', body({ data: {} }), /data is an object/],
  ['BYTES', body({ datatype: 'BYTES' }), /"BYTES"; allowed for image: UINT8/],
  ['BOOL', body({ datatype: 'BOOL' }), /"BOOL"/],
  ['a datatype that there is not', body({ datatype: 'FP99' }), /"FP99"/],
  ['a datatype in lower case', body({ datatype: 'fp32' }), /"fp32"/],
  ['the name of a property for a datatype', body({ datatype: 'constructor' }), /"constructor"/],
  ['no datatype', body({ datatype: undefined }), /datatype/],
  ['no shape', body({ shape: undefined }), /shape/],
  ['a negative dimension', body({ shape: [-1, 784] }), /shape\/0: must not be negative/i],
  ['a fractional dimension', body({ shape: [1.5, 784] }), /shape\/0: must be an integer/i],
  ['a dimension past 2^53', body({ shape: [2 ** 60, 784] }), /shape\/0: must be at most 9007199254740991/i],
  ['dimensions whose product is past 2^53', body({ shape: [2 ** 50, 2 ** 50, 784] }), /784 elements/],
  ['no images', body({ shape: [0, 784], data: [] }), /\(0, 784\)/],
  ['an empty shape', body({ shape: [], data: [1] }), /shape \(\)|shape/],
  ['another size', body({ shape: [1, 783], data: image.slice(1) }), /\(1, 783\)/],
  ['transposed dimensions', body({ shape: [784, 1], data: image }), /\(784, 1\)/],
  ['two channels', body({ shape: [1, 2, 28, 28], data: [...image, ...image] }), /\(1, 2, 28, 28\)/],
  ['FP16 in JSON', body({ datatype: 'FP16', data: unit(image) }), /FP16; send it as a binary tensor/],
  ['pixels past 255', body({ data: image.with(3, 256), datatype: 'INT32' }), /256 at \[0, 3\].*0 to 255/],
  ['negative pixels', body({ data: image.with(3, -1), datatype: 'INT32' }), /-1 at \[0, 3\]/],
  ['FP32 past 1', body({ datatype: 'FP32', data: image }), /from 0 to 1\. Send pixels of 0 to 255 as UINT8/],
  [
    'a fraction of a whole type',
    body({ data: image.with(3, 0.5) }),
    /0\.5 at element 3; UINT8 in JSON must be a whole number/,
  ],
  [
    'INT64 past 2^53',
    body({ datatype: 'INT64', data: image.with(3, 2 ** 53) }),
    /9007199254740992 at element 3.*below 2\^53/,
  ],
  [
    'a number past all numbers',
    `{"inputs":[{"name":"image","datatype":"FP32","shape":[1],"data":[1e999]}]}`,
    /shape|Infinity/,
  ],
  ['NaN', `{"inputs":[{"name":"image","datatype":"FP32","shape":[1,784],"data":[NaN]}]}`, /JSON/],
  ['no inputs', {}, /inputs/],
  ['an empty list of inputs', { inputs: [] }, /are none; the model has one input, "image"/],
  ['an input that the model has not', { inputs: [valid, { ...valid, name: 'mask' }] }, /"image", "mask"/],
  ['an input twice', { inputs: [valid, valid] }, /"image", "image"/],
  [
    'an output that the model has not',
    { inputs: [valid], outputs: [{ name: 'logits' }] },
    /#\/outputs\/0 is "logits"/,
  ],
  [
    'an output twice',
    { inputs: [valid], outputs: [{ name: 'label' }, { name: 'label' }] },
    /label a second time/,
  ],
  ['outputs that are names alone', { inputs: [valid], outputs: ['label'] }, /#\/outputs\/0/],
  ['an id that is a number', { id: 42, inputs: [valid] }, /#\/id/],
  ['parameters that are a list', { parameters: [], inputs: [valid] }, /#\/parameters/],
  ['a parameter that is an object', { parameters: { a: {} }, inputs: [valid] }, /#\/parameters\/a/],
  [
    'shared memory',
    { inputs: [{ ...valid, parameters: { shared_memory_region: 'r' } }] },
    /shared memory is not supported/i,
  ],
  [
    'a classification of labels',
    { inputs: [valid], outputs: [{ name: 'label', parameters: { classification: 2 } }] },
    /classification of label/,
  ],
  [
    'a negative classification',
    { inputs: [valid], outputs: [{ name: 'probabilities', parameters: { classification: -1 } }] },
    /classification/,
  ],
  [
    'a fractional classification',
    { inputs: [valid], outputs: [{ name: 'probabilities', parameters: { classification: 1.5 } }] },
    /classification/,
  ],
  [
    'a classification that is text',
    { inputs: [valid], outputs: [{ name: 'probabilities', parameters: { classification: '3' } }] },
    /classification/,
  ],
  ['a list', [], /Must be an object/],
  ['null', 'null', /Must be an object/],
  ['nothing but space', '  ', /JSON/],
  ['wrong UTF-8', Buffer.from([0x22, 0xff, 0x22]), /not UTF-8/],
  ['a hundred thousand brackets', '['.repeat(100_000), /nested deeper than 32/],
] as const) {
  test(`${title}: 400`, async () => assertError(await inferJson(app, sent), 400, pattern));
}

test('5,000 images as JSON get the same predictions from a worker as alone', async () => {
  const many = Array.from({ length: 5000 }, (_, n) => images[n % 3]!);
  const result = await infer({
    id: 'many',
    inputs: [input('UINT8', [5000, 784], many)],
    outputs: [{ name: 'label' }, { name: 'probabilities', parameters: { classification: 1 } }],
  });
  assert.equal(result.id, 'many');
  assert.deepEqual(
    outputOf(result, 'label').data,
    many.map((_, n) => expected[n % 3]!.label),
  );
  assert.deepEqual(outputOf(result, 'probabilities').shape, [5000, 1]);
  const broken = many.with(4999, images[0]!.with(783, 300));
  assertError(
    await inferJson(app, { inputs: [input('INT32', [5000, 784], broken)] }),
    400,
    /300 at \[4999, 783\]/,
  );
});
