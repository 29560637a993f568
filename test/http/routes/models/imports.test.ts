import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { loadFashionMnist } from '../../../../src/datasets/fashion-mnist.ts';
import { type ModelVersion, modelVersionSchema } from '../../../../src/domain/models/representation.ts';
import { npyBytes, parseNpy } from '../../../../src/formats/arrays/npy.ts';
import { safetensorsBytes } from '../../../../src/formats/arrays/safetensors.ts';
import { exportModel } from '../../../../src/formats/models/export.ts';
import {
  fixtureImages,
  formatFixture,
  formatFixtures,
  modelOf,
  numbers,
  sourceOf,
  tensor,
} from '../../../formats/fixtures.ts';
import { DATA_DIR } from '../../../support/data-directory.ts';
import { dense } from '../../../support/dense.ts';
import {
  assertProblem,
  startService,
  type TrainingBody,
  tiny,
  train,
} from '../../../support/start-service.ts';
import { encodeForm, formBody, importFile } from '../../import-file.ts';

const { app } = await startService({ after });
const dataset = await loadFashionMnist(DATA_DIR);

async function imported(bytes: Uint8Array, fields: Record<string, string>): Promise<ModelVersion> {
  const response = await importFile(app, bytes, fields);
  assert.equal(response.statusCode, 201, response.body);
  const version = response.json<ModelVersion>();
  assert.deepEqual(modelVersionSchema.strict().parse(version), version);
  assert.equal(response.headers['location'], `/v1/models/${version.name}/versions/${version.version}`);
  const {
    model_version_status: _,
    testSet: __,
    ...shown
  } = (await app.inject(response.headers['location'])).json();
  assert.deepEqual(shown, version);
  return version;
}

/** n × classes */
async function probabilities({ name, version }: Pick<ModelVersion, 'name' | 'version'>, pixels: Uint8Array) {
  const response = await app.inject({
    method: 'POST',
    url: `/v1/models/${name}/versions/${version}/predictions`,
    headers: { 'content-type': 'application/octet-stream', accept: 'application/x-npy' },
    payload: Buffer.from(pixels),
  });
  assert.equal(response.statusCode, 200, response.body);
  return parseNpy(response.rawPayload).data as Float32Array;
}

async function trained(modelName: string, changes: Partial<TrainingBody>): Promise<ModelVersion> {
  const job = await train(app, tiny({ modelName, ...changes }));
  assert.equal(job.status, 'succeeded');
  return (await app.inject(`/v1/models/${modelName}/versions/1`)).json();
}

async function exported(name: string, format: string): Promise<Buffer> {
  const response = await app.inject(`/v1/models/${name}/versions/1/export?format=${format}`);
  assert.equal(response.statusCode, 200, response.body);
  return response.rawPayload;
}

const first = await trained('first', { network: { hidden: [6, 5], activation: 'tanh' } });
const standardized = await trained('standardized', {
  network: { hidden: [4] },
  training: { epochs: 1, batchSize: 1024, validation: { fraction: 0.8 }, standardize: true },
});

for (const [origin, format, fields] of [
  [first, 'npy', { hidden: '[6, 5]', activation: 'tanh' }],
  [first, 'npz', { activation: 'tanh' }],
  [first, 'safetensors', {}],
  [first, 'onnx', {}],
  [standardized, 'onnx', {}],
  [standardized, 'npz', { standardization: JSON.stringify(standardized.standardization) }],
  [standardized, 'safetensors', {}],
] as [ModelVersion, string, Record<string, string>][]) {
  test(`${origin.name} is restored from ${format} with its digest, accuracy and predictions`, async () => {
    const file = await exported(origin.name, format);
    const back = await imported(file, {
      name: `back-from-${format}`,
      dataset: 'fashion-mnist',
      ...fields,
    });
    for (const same of ['digest', 'layerSizes', 'activation', 'standardization', 'classNames'] as const) {
      assert.deepEqual(back[same], origin[same], same);
    }
    assert.equal(back.testAccuracy, origin.testAccuracy);
    const { source, jobId, dataset: measuredOn, import: from } = back.lineage;
    assert.deepEqual(
      [source, jobId, measuredOn?.id, from?.source, from?.rounded],
      ['import', null, 'fashion-mnist', format === 'npy' ? 'packed-npy' : format, 0],
    );
    const pixels = dataset.test.pixels.subarray(0, 100 * 784);
    assert.deepEqual(await probabilities(back, pixels), await probabilities(origin, pixels));
  });
}

for (const fixture of formatFixtures) {
  const { file, activation, hidden, standardization, probabilities: expected } = fixture;
  test(`${file} gives the predictions of the program that wrote it, over HTTP`, async () => {
    const version = await imported(formatFixture(file), {
      name: 'elsewhere',
      activation,
      standardization: standardization === null ? 'none' : JSON.stringify(standardization),
    });
    assert.deepEqual(version.layerSizes, [784, ...hidden, expected[0]!.length]);
    assert.equal(version.lineage.import!.source, sourceOf(fixture));
    const found = await probabilities(version, fixtureImages);
    expected.flat().forEach((value, i) => {
      assert.ok(Math.abs(found[i]! - value) <= 1e-5, `${found[i]} at ${i}, not ${value}`);
    });
  });
}

test('an imported model can be compared, checked, trained from, exported and deleted', async () => {
  const { name, version } = await imported(await exported('first', 'safetensors'), {
    name: 'citizen',
    dataset: 'fashion-mnist',
    metadata: '{"from":"a test"}',
  });
  const url = `/v1/models/${name}/versions/${version}`;
  const evaluation = await app.inject(`${url}/evaluation`);
  assert.equal(evaluation.statusCode, 200, evaluation.body);
  assert.equal(evaluation.json().accuracy, first.testAccuracy);
  const comparison = await app.inject(`${url}/comparison?with=first@1`);
  assert.equal(comparison.statusCode, 200, comparison.body);
  const check = await app.inject({
    method: 'POST',
    url: '/v1/gradient-checks',
    payload: { model: name, coordinates: { sample: 50 } },
  });
  assert.equal(check.json().passed, true, check.body);
  const network = { hidden: [6, 5], activation: 'tanh' as const };
  const job = await train(app, tiny({ modelName: 'grown', network, warmStart: name }));
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
  assert.deepEqual(await exported(name, 'npz'), await exported('first', 'npz'));
  assert.deepEqual((await app.inject(url)).json().metadata, { from: 'a test' });
  assert.equal((await app.inject({ method: 'DELETE', url })).statusCode, 204);
  // Another version has the same parameters, so they are kept.
  assert.equal((await probabilities(first, fixtureImages)).length, 80);
});

test('layers without biases become layers with zero biases, which the version reports', async () => {
  const version = await imported(formatFixture('torch-no-bias.safetensors'), { name: 'bare' });
  assert.deepEqual(version.lineage.import!.assumed, [
    'activation',
    'classNames',
    'standardization',
    'biases',
  ]);
});

test('missing properties are assumed and reported', async () => {
  const { parameters } = modelOf(dense([784, 4, 10]));
  const vector = npyBytes(parameters, [parameters.length]);
  const version = await imported(vector, { name: 'silent', hidden: '4' });
  assert.deepEqual(version.lineage.import!.assumed, ['activation', 'classNames', 'standardization']);
  assert.deepEqual(version.layerSizes, [784, 4, 10]);
  assert.deepEqual([version.activation, version.standardization], ['relu', null]);
  assert.deepEqual(
    version.classNames,
    Array.from({ length: 10 }, (_, label) => `${label}`),
  );
  const flat = npyBytes(numbers(785 * 10), [785 * 10]);
  assert.deepEqual((await imported(flat, { name: 'silent', hidden: '' })).layerSizes, [784, 10]);
});

test('an empty field counts as absent', async () => {
  const fields = ['hidden', 'activation', 'classNames', 'standardization', 'dataset', 'metadata'];
  const empty = Object.fromEntries(fields.map((field) => [field, '']));
  const version = await imported(exportModel(modelOf(dense([784, 4, 10])), 'npz'), {
    name: 'empty',
    ...empty,
  });
  assert.deepEqual(version.layerSizes, [784, 4, 10]);
  assert.deepEqual(version.metadata, {});
});

test('without a data set a model is not evaluated, and gets numbers as class names', async () => {
  const three = exportModel(modelOf(dense([784, 4, 3])), 'npz');
  const version = await imported(three, { name: 'three', activation: 'tanh' });
  assert.deepEqual([version.testAccuracy, version.lineage.dataset], [null, null]);
  assert.deepEqual(version.classNames, ['0', '1', '2']);
  const named = await imported(three, { name: 'three', classNames: '["cat", "dog", "eel"]' });
  assert.deepEqual([named.version, named.classNames], [2, ['cat', 'dog', 'eel']]);
  const listed = await imported(three, { name: 'three', classNames: 'cat, dog,eel' });
  assert.deepEqual(listed.classNames, ['cat', 'dog', 'eel']);
  const ten = exportModel(modelOf(dense([784, 4, 10])), 'npz');
  const digits = JSON.stringify(Array.from({ length: 10 }, (_, digit) => `${digit}`));
  const other = await imported(ten, { name: 'digits', classNames: digits });
  assert.deepEqual([other.testAccuracy, other.lineage.dataset], [null, null]);
  const said = await imported(ten, { name: 'digits', classNames: digits, dataset: 'fashion-mnist' });
  assert.deepEqual([said.lineage.dataset?.id, said.classNames[3]], ['fashion-mnist', '3']);
  assert.notEqual(said.testAccuracy, null);
  const silent = await imported(ten, { name: 'digits' });
  assert.deepEqual([silent.testAccuracy, silent.lineage.dataset, silent.classNames[3]], [null, null, '3']);
  const none = await imported(ten, { name: 'digits', dataset: 'none' });
  assert.deepEqual([none.testAccuracy, none.classNames[3]], [null, '3']);
  const measured = await imported(ten, { name: 'digits', dataset: 'fashion-mnist' });
  assert.deepEqual([measured.classNames[3], measured.lineage.dataset?.id], ['Dress', 'fashion-mnist']);
  assert.ok(measured.testAccuracy! >= 0 && measured.testAccuracy! <= 1);
});

const good = exportModel(modelOf(dense([784, 4, 3])), 'npz');
const sklearn = formatFixture('sklearn-relu.npz');
const flipped = sklearn.with(sklearn.length >> 1, sklearn[sklearn.length >> 1]! ^ 0xff);
const garbage = Uint8Array.from({ length: 4 * 2 ** 20 }, (_, i) => (i * 2_654_435_761) >>> 13);

const unreadable: [
  title: string,
  bytes: Uint8Array,
  fields: Record<string, string>,
  RegExp,
  place?: string,
][] = [
  ['4 MB of garbage', garbage, {}, /not an \.npy, \.npz, safetensors or ONNX file/],
  ['nothing', new Uint8Array(0), {}, /not an \.npy, \.npz, safetensors or ONNX file/],
  ['garbage that begins like an archive', Uint8Array.from([0x50, 0x4b, ...garbage]), {}, /no directory/],
  ['half an archive', sklearn.subarray(0, sklearn.length >> 1), {}, /no directory; it may be truncated/],
  ['an archive with a changed byte', flipped, {}, /"[\w.]+" is damaged/],
  [
    'weights of another size',
    safetensorsBytes([tensor('W1', 4, 783), tensor('b1', 4)], {}),
    {},
    /"W1" has shape \(4, 783\), but 783 values are not a square/,
    '#/inputShape',
  ],
  ['a layer without weights', safetensorsBytes([tensor('0.bias', 4)], {}), {}, /"0\.weight" is missing/],
  ['a file of torch.save', formatFixture('foreign/torch-state-dict.pt'), {}, /safetensors\.torch\.save_file/],
  [
    'text instead of numbers',
    npyBytes(new Float32Array(7850).fill(Number.NaN), [7850]),
    { hidden: '[]' },
    /NaN/,
  ],
  [
    'weights that no image survives',
    npyBytes(new Float32Array(7850).fill(3e38), [7850]),
    { hidden: '[]' },
    /allow logits up to 2\.4e\+41/,
  ],
  ['a vector without sizes', npyBytes(numbers(7850), [7850]), {}, /send the field hidden/, '#/hidden'],
  ['other sizes than the file’s', good, { hidden: '5' }, /hidden is \[4\].*has \[5\]/, '#/hidden'],
  ['too few class names', good, { classNames: '["a", "b"]' }, /2 class names.*3 classes/, '#/classNames'],
];

for (const [title, bytes, fields, message, place = '#/file'] of unreadable) {
  test(`rejects ${title}, and publishes nothing`, async () => {
    const response = await importFile(app, bytes, { name: 'refused', ...fields });
    const problem = assertProblem(response, 422, 'invalid-model-file', place);
    assert.match(problem.detail, message);
    assertProblem(await app.inject('/v1/models/refused'), 404, 'model-not-found');
  });
}

test('requires an existing data set with the same number of classes', async () => {
  const refused = (dataset: string) => importFile(app, good, { name: 'refused', dataset });
  assertProblem(await refused('nowhere'), 422, 'unknown-dataset', '#/dataset');
  assertProblem(await refused('fashion-mnist'), 422, 'impossible-request', '#/dataset');
});

const unfit: [fields: Record<string, string>, place: string][] = [
  [{ name: '../../etc/passwd' }, '#/name'],
  [{ name: 'Robert"); DROP TABLE models;--' }, '#/name'],
  [{ name: 'a'.repeat(65) }, '#/name'],
  [{ name: '' }, '#/name'],
  [{}, '#/name'],
  [{ name: 'x', hidden: 'forty' }, '#/hidden'],
  [{ name: 'x', hidden: '[40.5]' }, '#/hidden/0'],
  [{ name: 'x', hidden: '4,0' }, '#/hidden/1'],
  [{ name: 'x', activation: 'swish' }, '#/activation'],
  [{ name: 'x', classNames: '"a","b","c"' }, '#/classNames'],
  [{ name: 'x', classNames: 'a,b,' }, '#/classNames/2'],
  [{ name: 'x', classNames: '["a", "a", "b"]' }, '#/classNames'],
  [{ name: 'x', classNames: String.raw`["a", "\udc00", "b"]` }, '#/classNames/1'],
  [{ name: 'x', classNames: `["${'n'.repeat(70_000)}"]` }, '#/classNames'],
  [{ name: 'x', standardization: '{"mean": 0, "std": 0}' }, '#/standardization/std'],
  [{ name: 'x', standardization: 'yes' }, '#/standardization'],
  [{ name: 'x', metadata: '[1]' }, '#/metadata'],
  [{ name: 'x', version: '3' }, '#/version'],
];

for (const [fields, place] of unfit) {
  test(`rejects ${JSON.stringify(fields).slice(0, 60)} with the name of the field`, async () => {
    assertProblem(await importFile(app, good, fields), 400, 'invalid-request', place);
  });
}

test('requires one file under its name, and each field once', async () => {
  const post = (form: Awaited<ReturnType<typeof formBody>>) =>
    app.inject({ method: 'POST', url: '/v1/models', ...form });
  assertProblem(await post(await formBody(null, { name: 'x' })), 400, 'invalid-request', '#/file');
  assertProblem(
    await post(await formBody(null, { name: 'x', file: 'text' })),
    400,
    'invalid-request',
    '#/file',
  );
  const file = new Blob([Buffer.from(good)]);
  const twice = new FormData();
  twice.append('name', 'a');
  twice.append('name', 'b');
  twice.append('file', file);
  assertProblem(await post(await encodeForm(twice)), 400, 'invalid-request', '#/name');
  const misnamed = new FormData();
  misnamed.append('name', 'a');
  misnamed.append('model', file, 'model.npz');
  assertProblem(await post(await encodeForm(misnamed)), 400, 'invalid-request', '#/model');
  const two = new FormData();
  two.append('name', 'a');
  two.append('file', file, 'one.npz');
  two.append('file', file, 'two.npz');
  assertProblem(await post(await encodeForm(two)), 400, 'malformed-body');
  for (const part of ['; filename="f"', '']) {
    const nameless = `--b\r\ncontent-disposition: form-data${part}\r\n\r\nx\r\n--b--\r\n`;
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    const refused = await post({ headers, payload: Buffer.from(nameless) });
    assert.match(assertProblem(refused, 400, 'malformed-body').detail, /no name/);
  }
  const many = new FormData();
  for (let i = 0; i < 40; i++) many.append(`field${i}`, 'x');
  assertProblem(await post(await encodeForm(many)), 400, 'malformed-body');
  const json = { headers: { 'content-type': 'application/json' }, payload: Buffer.from('{}') };
  assertProblem(await post(json), 415, 'unsupported-media-type');
  const cut = await formBody(good, { name: 'x' });
  assertProblem(await post({ ...cut, payload: cut.payload.subarray(0, 400) }), 400, 'malformed-body');
});

test('ignores the file name', async () => {
  const form = await formBody(good, { name: 'path', activation: 'tanh' }, '../../../etc/passwd\u0000.npz');
  const response = await app.inject({ method: 'POST', url: '/v1/models', ...form });
  assert.equal(response.statusCode, 201, response.body);
  assert.doesNotMatch(response.body, /passwd/);
});

test('the same key and form publish one version, and another form is rejected', async () => {
  const key = { 'idempotency-key': 'once' };
  const fields = { name: 'once', activation: 'tanh' };
  const answer = await importFile(app, good, fields, key);
  assert.equal(answer.statusCode, 201, answer.body);
  // The multipart boundary differs in every request.
  const again = await importFile(app, good, fields, key);
  assert.deepEqual([again.statusCode, again.body], [201, answer.body]);
  assert.equal(again.headers['idempotency-replayed'], 'true');
  assert.equal(again.headers['location'], answer.headers['location']);
  assert.equal((await app.inject('/v1/models/once')).json().versions, 1);
  for (const [bytes, changed] of [
    [good, { ...fields, activation: 'relu' }],
    [exportModel(modelOf(dense([784, 5, 3])), 'npz'), fields],
  ] as const) {
    assertProblem(await importFile(app, bytes, changed, key), 422, 'idempotency-key-reused');
  }
});
