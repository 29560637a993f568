/** MLflow scoring: https://mlflow.org/docs/latest/deployment/deploy-model-locally/ */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import type { LightMyRequestResponse } from 'fastify';
import sharp from 'sharp';
import packageJson from '../../../../package.json' with { type: 'json' };
import {
  endless,
  isUnderway,
  queueJob,
  startService,
  testImage,
  tiny,
  train,
  untilJob,
} from '../../../support/start-service.ts';
import { startTrained, TRAINING } from './kserve-v2/fixtures.ts';

const { app, images, expected } = await startTrained({ after });
const image = images[0]!;
const columns = image.map((_, n) => `pixel${n}`);
const rows = (values: readonly number[]) =>
  Array.from({ length: 28 }, (_, n) => values.slice(28 * n, 28 * n + 28));
const record = (values: readonly number[]) =>
  Object.fromEntries(values.map((value, n) => [columns[n], value]));
const columnValues = columns.map((_, n) => images.map((values) => values[n]!));
const byColumn = Object.fromEntries(columns.map((name, n) => [name, columnValues[n]!]));
const pngs = await Promise.all([0, 1, 2].map((n) => testImage(app, n, 'image/png')));
const texts = pngs.map((png) => png.toString('base64'));
const probabilities = expected.map((each) => each.probabilities);
const labels = expected.map(({ label }) => label);

function invoke(body: unknown, query = '', type = 'application/json') {
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  return app.inject({
    method: 'POST',
    url: `/invocations${query}`,
    headers: { 'content-type': type },
    payload,
  });
}

async function predictions(body: unknown, query = '', type?: string) {
  const response = await invoke(body, query, type);
  assert.equal(response.statusCode, 200, response.body);
  assert.equal(response.headers['content-type'], 'application/json');
  const answer = response.json();
  assert.deepEqual(Object.keys(answer), ['predictions']);
  return answer.predictions;
}

/** Asserts an error in MLflow's format: `{"error_code": …, "message": …}`. */
function assertError(response: LightMyRequestResponse, status: number, code: string, pattern = /./): void {
  assert.equal(response.statusCode, status, response.body);
  assert.equal(response.headers['content-type'], 'application/json');
  const body = response.json();
  assert.deepEqual([Object.keys(body), body.error_code], [['error_code', 'message'], code]);
  assert.match(body.message, pattern);
}

const PROBES = ['/ping', '/health'];

test('GET /ping and /health give 200 while the service is ready, and 503 during shutdown', async (t) => {
  const service = await startService(t);
  for (const url of PROBES) {
    const { statusCode, body, headers } = await service.app.inject(url);
    assert.deepEqual([statusCode, body, headers['content-type']], [200, '\n', 'text/plain']);
  }
  const job = await queueJob(service.app, endless);
  await untilJob(service.app, job.id, isUnderway);
  const closed = service.close();
  for (const url of PROBES) assertError(await service.app.inject(url), 503, 'TEMPORARILY_UNAVAILABLE');
  await closed;
});

test('GET /version returns the version as text', async () => {
  const response = await app.inject('/version');
  assert.deepEqual([response.statusCode, response.body], [200, packageJson.version]);
  assert.match(String(response.headers['content-type']), /^text\/plain/);
});

for (const [title, body] of [
  ['inputs', { inputs: images }],
  ['inputs of rows', { inputs: images.map(rows) }],
  ['inputs by name', { inputs: { image: images } }],
  ['instances', { instances: images }],
  ['instances by name', { instances: images.map((each) => ({ image: each })) }],
  ['numbers of 0–1', { inputs: images.map((each) => each.map((value) => value / 255)) }],
  ['dataframe_split', { dataframe_split: { columns, index: [0, 1, 2], data: images } }],
  ['dataframe_split without names', { dataframe_split: { data: images } }],
  [
    'dataframe_split of one column',
    { dataframe_split: { columns: ['image'], data: images.map((each) => [each]) } },
  ],
  [
    'dataframe_split of one column of rows',
    { dataframe_split: { columns: ['image'], data: images.map((each) => [rows(each)]) } },
  ],
  ['dataframe_records', { dataframe_records: images.map(record) }],
  ['inputs by column', { inputs: byColumn }],
  ['inputs by column, named as by pandas', { inputs: Object.fromEntries(columnValues.entries()) }],
  ['instances with columns', { instances: images.map(record) }],
  ['inputs in Base64', { inputs: texts }],
  ['inputs of one column in Base64', { inputs: { png: texts } }],
  ['inputs of data URLs', { inputs: texts.map((text) => `data:image/png;base64,${text}`) }],
  ['instances in Base64', { instances: texts.map((b64) => ({ b64 })) }],
  ['dataframe_split in Base64', { dataframe_split: { columns: ['png'], data: texts.map((text) => [text]) } }],
  ['dataframe_split of b64', { dataframe_split: { data: texts.map((b64) => [{ b64 }]) } }],
  ['dataframe_records in Base64', { dataframe_records: texts.map((png) => ({ png })) }],
  ['dataframe_records of b64', { dataframe_records: texts.map((b64) => ({ png: { b64 } })) }],
  ['dataframe_records of one column', { dataframe_records: images.map((each) => ({ image: each })) }],
] as const) {
  test(`${title} get {"predictions": [probabilities]}, or labels`, async () => {
    assert.deepEqual(await predictions(body), probabilities);
    assert.deepEqual(await predictions({ ...body, params: { output: 'probabilities' } }), probabilities);
    assert.deepEqual(await predictions({ ...body, params: { output: 'label' } }), labels);
    assert.deepEqual(await predictions({ ...body, params: null }), probabilities);
    assert.deepEqual(await predictions({ ...body, params: { temperature: 1 }, id: '7' }), probabilities);
  });
}

test('columns of records follow the order of the first record', async () => {
  const turned = Object.fromEntries(Object.entries(record(images[1]!)).toReversed());
  assert.deepEqual(
    await predictions({ dataframe_records: [record(image), turned] }),
    probabilities.slice(0, 2),
  );
});

const table = images.map((each) => each.join()).join('\n');
for (const [title, type, csv] of [
  ['without a header', 'text/csv', table],
  ['with a header', 'text/csv', `${columns.join()}\n${table}\n`],
  [
    'with the numbers that pandas counts columns by',
    'text/csv',
    `${columns.map((_, n) => n).join()}\n${table}`,
  ],
  [
    'with CR and LF, a mark, spaces and an empty line',
    'text/csv; charset=utf-8',
    `\ufeff${table.replaceAll('\n', ' \r\n\r\n')}\r\n`,
  ],
  [
    'in quotes',
    'text/csv',
    `${columns.map((name) => `"${name}"`).join()}\n${table.replaceAll(/\d+/g, '"$&"')}`,
  ],
  ['of 0–1', 'text/csv', images.map((each) => each.map((value) => value / 255).join()).join('\n')],
  ['with header=absent', 'text/csv; header=absent', table],
  ['with header=present', 'TEXT/CSV;header="present"', `${image.join()}\n${table}`],
] as const) {
  test(`CSV ${title} gets {"predictions": [probabilities]}`, async () => {
    assert.deepEqual(await predictions(csv, '', type), probabilities);
  });
}

for (const [title, body, pattern, type] of [
  ['nothing', '', /no body/],
  ['no images', {}, /no images; send one of inputs/],
  ['two kinds of them', { inputs: images, instances: images }, /inputs and instances/],
  ['an unknown field', { input: images }, /no images; send one of inputs/],
  ['the old format', { columns, data: images }, /no images; send one of inputs/],
  ['params that are no object', { inputs: images, params: 'label' }, /params/],
  ['an unknown output', { inputs: images, params: { output: 'logits' } }, /#\/params\/output/],
  [
    'too few columns',
    { dataframe_split: { columns: ['a'], data: [image] } },
    /784 cells; the table has 1 columns/,
  ],
  ['a row that is not an array', { dataframe_split: { data: [5] } }, /must be an array, one row/],
  ['rows of other lengths', { dataframe_split: { data: [image, [1]] } }, /1 elements|784/],
  ['no rows', { dataframe_split: { columns, data: [] } }, /at least one image/],
  [
    'records of other columns',
    { dataframe_records: [record(image), { ...record(image), pixel0: undefined, other: 1 }] },
    /the same columns as the first row/,
  ],
  [
    'records of fewer columns',
    { dataframe_records: [record(image), { pixel0: 1 }] },
    /1 columns; the first row has 784/,
  ],
  ['columns of other lengths', { inputs: { a: [1, 2], b: [1] } }, /inputs\/b has 1 cells/],
  ['columns that are no lists', { inputs: { a: [1], b: 2 } }, /inputs\/b must be an array/],
  ['text among numbers', { inputs: [image, 'AAAA'] }, /inputs\/0 is not an encoded image, but others/],
  ['text that is not Base64', { dataframe_split: { data: [['é']] } }, /data\/0 is not Base64/],
  ['text that is not an image', { inputs: ['AAAA'] }, /inputs\/0: The image cannot be decoded/],
  ['a row of text', { dataframe_split: { data: [image.map(String)] } }, /data\/0\/0 is a string/],
  ['no records', { dataframe_records: [] }, /at least one image/],
  ['a prototype for a column', '{"dataframe_records":[{"__proto__":1}]}', /./],
  ['NaN', '{"inputs":[[NaN]]}', /JSON/],
  ['null for a number', { inputs: [image.with(5, null as never)] }, /inputs\/0\/5 is null/],
  ['CSV of another width', '1,2,3', /3 columns, but an image of 28×28 has 784 numbers/, 'text/csv'],
  ['CSV with an index', `,${columns.join()}\n0,${image.join()}`, /785 columns.*index=False/, 'text/csv'],
  ['CSV with semicolons', image.join(';'), /separated by semicolons .* by commas/, 'text/csv'],
  [
    'CSV with names and semicolons',
    `${columns.join(';')}\n${image.join(';')}`,
    /separated by semicolons .* by commas/,
    'text/csv',
  ],
  [
    'CSV whose columns are counted backwards',
    `${columns.map((_, n) => 783 - n).join()}\n${image.join()}`,
    /784 different whole numbers. They are names .* header=present/,
    'text/csv',
  ],
  ['CSV of ragged rows', `${image.join()}\n1,2`, /CSV/, 'text/csv'],
  [
    'CSV with a gap in its first row',
    `,${image.slice(1).join()}\n${image.join()}`,
    /row 1, column 1 is "", not a number/,
    'text/csv',
  ],
  ['CSV with NaN', `${image.join()}\nnan,${image.slice(1).join()}`, /row 2, column 1 is "nan"/, 'text/csv'],
  ['CSV with infinity', `inf,${image.slice(1).join()}`, /"inf"/, 'text/csv'],
  ['CSV with numbers past 255', image.with(9, 256).join(), /256 at \[0, 9\]/, 'text/csv'],
  ['CSV with an open quote', `"${image.join()}`, /CSV/, 'text/csv'],
  ['CSV that is a header alone', columns.join(), /no row of numbers/, 'text/csv'],
  ['CSV of one endless cell', '1'.repeat(200_000), /CSV/, 'text/csv'],
  ['CSV of one endless row of empty cells', ','.repeat(200_000), /row is longer than 65536/, 'text/csv'],
  ['CSV of one endless row of spaces', ' '.repeat(200_000), /row is longer than 65536/, 'text/csv'],
  [
    'CSV of one endless row with quoted ends of lines',
    `"\n"${','.repeat(60_000)}`.repeat(3),
    /row is longer than 65536/,
    'text/csv',
  ],
  [
    'CSV of one endless row with other ends of lines',
    `1\r\n${`${','.repeat(60_000)}\n`.repeat(3)}`,
    /row is longer than 65536/,
    'text/csv',
  ],
] as const) {
  test(`${title}: 400 with an error_code and a message`, async () => {
    assertError(await invoke(body, '', type), 400, 'BAD_REQUEST', pattern);
  });
}

test('other types give 415, other methods 405, unknown paths 404', async () => {
  for (const type of ['text/plain', 'application/octet-stream', 'image/png', '']) {
    const response = await app.inject({
      method: 'POST',
      url: '/invocations',
      payload: 'x',
      ...(type && { headers: { 'content-type': type } }),
    });
    assertError(response, 415, 'BAD_REQUEST', /application\/json, text\/csv/);
  }
  for (const parameter of ['something=something', 'header=present', 'charset=latin1', 'charset']) {
    const response = await invoke({ inputs: images }, '', `application/json; ${parameter}`);
    assertError(response, 415, 'BAD_REQUEST', /unknown parameter .* Allowed: charset|charset=utf-8/);
  }
  assert.deepEqual(
    await predictions({ inputs: images }, '', 'application/json ; CHARSET="UTF-8"'),
    probabilities,
  );
  for (const charset of ['utf-16', '"ISO-8859-1"', '']) {
    const response = await invoke(table, '', `text/csv; header=absent; charset=${charset}`);
    assertError(response, 415, 'BAD_REQUEST', /charset=utf-8/);
  }
  assert.deepEqual(await predictions(table, '', 'text/csv;Charset="UTF-8"; header=absent'), probabilities);
  assertError(await app.inject('/invocations'), 405, 'BAD_REQUEST');
  assertError(await invoke({ inputs: images }, '?model=nope'), 404, 'RESOURCE_DOES_NOT_EXIST');
  assertError(await invoke({ inputs: images }, '?model=No'), 400, 'BAD_REQUEST');
  assertError(await invoke({ inputs: images }, '?modle=nope'), 400, 'BAD_REQUEST');
});

test('inflates gzip and deflate up to the limit of bodies', async (t) => {
  const { app: small } = await startService(t, { MAX_BODY_BYTES: '65536' });
  const post = (to: typeof app, encoding: string, payload: Buffer) =>
    to.inject({
      method: 'POST',
      url: '/invocations',
      headers: { 'content-type': 'text/csv', 'content-encoding': encoding },
      payload,
    });
  for (const [encoding, payload] of [
    ['gzip', gzipSync(table)],
    ['deflate', deflateSync(table)],
  ] as const) {
    assert.deepEqual((await post(app, encoding, payload)).json(), { predictions: probabilities });
  }
  await train(small, tiny());
  const bomb = gzipSync('0,'.repeat(2 ** 20));
  assert.ok(bomb.length < 65_536);
  assertError(await post(small, 'gzip', bomb), 413, 'BAD_REQUEST', /inflated body is larger than/);
  assertError(await post(app, 'gzip', Buffer.from(table)), 400, 'BAD_REQUEST', /cannot be decompressed/);
  assertError(await post(app, 'br', gzipSync(table)), 415, 'BAD_REQUEST', /Allowed: gzip, deflate/);
});

test('?fit=contain resizes encoded images, and is rejected for numbers', async () => {
  const [boot] = pngs;
  const large = await sharp(boot).resize(56, 56, { kernel: 'nearest' }).png().toBuffer();
  const native = await app.inject({
    method: 'POST',
    url: '/v1/models/fashion-mnist/predictions?fit=contain',
    headers: { 'content-type': 'image/png' },
    payload: large,
  });
  const body = { dataframe_records: [{ png: large.toString('base64') }] };
  assert.deepEqual(await predictions(body, '?fit=contain'), [native.json().predictions[0].probabilities]);
  assertError(await invoke(body), 400, 'BAD_REQUEST', /56×56 pixels, .* or set \?fit=contain/);
  assertError(await invoke({ inputs: images }, '?fit=contain'), 400, 'BAD_REQUEST', /does not apply/);
  assertError(await invoke(table, '?fit=contain', 'text/csv'), 400, 'BAD_REQUEST', /does not apply/);
});

/**
 * Bodies of tests/pyfunc/test_scoring_server.py in mlflow/mlflow at 02531f8, with the status that each test expects. Its
 * data frames have the columns 0, 1, … of pd.DataFrame(array), like the images here.
 */
const frame = { columns: image.map((_, n) => n), index: images.map((_, n) => n), data: images };
const byNumber = images.map((values) => ({ ...values }));
const columnsByNumber = Object.fromEntries(columnValues.entries());
for (const [name, body, status, type = 'application/json'] of [
  ['malformed_json_input', 'this is,,,, not valid json', 400],
  ['invalid_json_format', '1', 400],
  ['invalid_json_format', '"1"', 400],
  ['invalid_json_format', '[1]', 400],
  ['invalid_json_format', { not: 'a serialized dataframe' }, 400],
  ['invalid_json_format', { dataframe_records: [], dataframe_split: { data: [] } }, 400],
  ['invalid_pandas_input_format', { dataframe_records: frame }, 400],
  ['invalid_pandas_input_format', { dataframe_split: byNumber }, 400],
  ['invalid_dataframe', { dataframe_split: { index: [1, 2], data: [[1], [2], [3]] } }, 400],
  ['incompatible_inference_dataframe', { dataframe_split: { data: [[0], [1], [2]] } }, 400],
  ['invalid_csv_input', '', 400, 'text/csv'],
  ['pandas_records_orientation', { dataframe_records: byNumber }, 200],
  ['pandas_records_orientation', { dataframe_records: byNumber }, 200, 'application/json; charset=UTF-8'],
  ['pandas_split_orientation', { dataframe_split: frame }, 200, 'application/json; charset=UTF-8'],
  ['pandas_split_orientation', { dataframe_split: frame }, 200],
  ['invalid_content_type', frame, 415, 'not_a_supported_content_type'],
  ['unrecognized_content_param', frame, 415, 'application/json; something=something'],
  ['tf_serving_sklearn', { instances: images }, 200],
  ['tf_serving_keras_instances', { instances: byNumber }, 200],
  ['tf_serving_keras_inputs', { inputs: columnsByNumber }, 200],
  ['param_schema', { dataframe_split: frame }, 200, 'application/json; charset=UTF-8'],
  ['param_schema, invalid value', { dataframe_split: frame, params: { output: 'invalid_value1' } }, 400],
  ['param_schema, unknown', { dataframe_split: frame, params: { invalid_param: 'value' } }, 200],
] as const) {
  test(`MLflow's test of ${name}, ${typeof body === 'string' ? body : Object.keys(body)}: ${status}`, async () => {
    const response = await invoke(body, '', type);
    if (status === 200) assert.deepEqual(response.json(), { predictions: probabilities });
    else assertError(response, status, 'BAD_REQUEST');
  });
}

test('serves the only model, the model of the data set if there are several, or the named one', async (t) => {
  const { app: empty } = await startService(t);
  const ask = (query = '') =>
    empty.inject({ method: 'POST', url: `/invocations${query}`, payload: { inputs: [image] } });
  assertError(await ask(), 404, 'RESOURCE_DOES_NOT_EXIST', /No models exist yet/);
  await train(empty, tiny({ modelName: 'mine' }));
  const mine = (await ask()).json();
  await train(empty, tiny({ modelName: 'yours', training: TRAINING }));
  assertError(await ask(), 404, 'RESOURCE_DOES_NOT_EXIST', /\?model=name/);
  assert.deepEqual((await ask('?model=mine')).json(), mine);
  assert.deepEqual((await ask('?model=mine@1')).json(), mine);
  await empty.inject({ method: 'PUT', url: '/v1/models/mine/aliases/blue', payload: { version: 1 } });
  assert.deepEqual((await ask('?model=mine@blue')).json(), mine);
  await train(empty, tiny({ seed: 3 }));
  assert.deepEqual((await ask()).json(), (await ask('?model=fashion-mnist')).json());
});

test('3,000 rows of CSV get the same predictions from a worker as alone', async () => {
  const many = Array.from({ length: 1000 }, () => table).join('\n');
  const answered = await predictions(`${columns.join()}\n${many}`, '', 'text/csv');
  assert.equal(answered.length, 3000);
  assert.deepEqual(answered.slice(0, 3), probabilities);
  assert.deepEqual(answered.slice(-3), probabilities);
});
