import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ErrorCode } from '../../../src/errors.ts';
import { assertProblem, cancelJob, endless, startService } from '../../support/start-service.ts';

const { app } = await startService({ after });

function send(url: string, payload: string | Buffer, type = 'application/json') {
  return app.inject({ method: 'POST', url, headers: { 'content-type': type }, payload });
}

const TRAIN = '/v1/training-jobs';
const CHECK = '/v1/gradient-checks';

const unreadable: [title: string, body: string | Buffer, said: RegExp][] = [
  ['text', 'shoes', /Unexpected token 's'/],
  ['what ends in the middle', '{"dataset":', /Unexpected end of JSON input/],
  ['NaN', '{"dataset":"x","seed":NaN}', /NaN/],
  ['a comment', '{} // shoes', /position/],
  ['invalid UTF-8', Buffer.from('{"dataset":"\xff\xfe"}', 'latin1'), /not valid UTF-8/],
  ['a field given twice', '{"dataset":"x","seed":1,"seed":2}', /"seed" is given twice/],
  [
    'a long field given twice',
    `{"${'x'.repeat(9000)}":1,"${'x'.repeat(9000)}":2}`,
    /: the field "x{100}" is given/,
  ],
  ['a prototype', '{"dataset":"x","__proto__":{"seed":1}}', /__proto__/],
  ['a prototype deep inside', '{"metadata":{"__proto__":"x"}}', /__proto__/],
  ['a prototype that is escaped', '{"\\u005f_proto__":{}}', /__proto__/],
  ['the prototype of a constructor', '{"constructor":{"prototype":{}}}', /constructor/],
];
for (const [title, body, said] of unreadable) {
  test(`every JSON route rejects a body of ${title} with its defect`, async () => {
    for (const url of [TRAIN, CHECK]) {
      assert.match(assertProblem(await send(url, body), 400, 'malformed-body').detail, said);
    }
  });
}

test('another content type gives 415 with the right one', async () => {
  for (const url of [TRAIN, CHECK]) {
    for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'text/json']) {
      const problem = assertProblem(await send(url, '{}', type), 415, 'unsupported-media-type');
      assert.match(problem.detail, /Allowed: application\/json(, multipart\/form-data)?\./);
    }
    const untyped = await app.inject({ method: 'POST', url, payload: Buffer.from('{}') });
    assertProblem(untyped, 415, 'unsupported-media-type');
  }
});

test('rejects a body that is too large with the limit', async () => {
  for (const url of [TRAIN, CHECK]) {
    const problem = assertProblem(await send(url, `"${'x'.repeat(2 ** 20)}"`), 413, 'body-too-large');
    assert.match(problem.detail, /1048576 bytes/);
  }
});

test('rejects a request without a body, even with a JSON content type', async () => {
  assertProblem(await app.inject({ method: 'POST', url: TRAIN }), 400, 'invalid-request', '#');
  assertProblem(await send(TRAIN, ''), 400, 'invalid-request', '#');
});

test('accepts a cancel with a JSON content type and no body', async () => {
  const { id } = (await send(TRAIN, JSON.stringify(endless))).json();
  assert.equal((await send(`${TRAIN}/${id}/cancel`, '')).statusCode, 202);
});

test('ignores a byte order mark', async () => {
  const response = await send(TRAIN, `\ufeff${JSON.stringify(endless)}`);
  assert.equal(response.statusCode, 202);
  await cancelJob(app, response.json().id);
});

test('rejects a body nested too deeply, with or without closing brackets', async () => {
  const [open, close] = ['['.repeat(5e5), ']'.repeat(5e5)];
  const objects = '{"a":'.repeat(1e5);
  for (const body of [open + close, open + open, `{"metadata":{"a":${open}${close}}}`, objects]) {
    for (const url of [TRAIN, CHECK, `${TRAIN}/job_nobody/cancel`]) {
      const problem = assertProblem(await send(url, body), 400, 'malformed-body');
      assert.match(problem.detail, /deeper than 32 levels/);
    }
  }
});

test('rejects a body of more than 10,000 values before validating them', async () => {
  const metadata = (entries: number) =>
    JSON.stringify({
      metadata: Object.fromEntries(Array.from({ length: entries }, (_, n) => [`k${n}`, ','])),
    });
  const problem = assertProblem(await send(TRAIN, metadata(10_001)), 400, 'malformed-body');
  assert.match(problem.detail, /more than 10000 values/);
  assertProblem(await send(TRAIN, metadata(10_000)), 400, 'invalid-request', '#/metadata');
});

test('accepts 32 levels, and ignores brackets within strings', async () => {
  const nested = '['.repeat(31) + ']'.repeat(31);
  assertProblem(await send(TRAIN, `{"dataset":${nested}}`), 400, 'invalid-request', '#/dataset');
  const text = JSON.stringify({ dataset: `"\\"${'['.repeat(40)}` });
  assertProblem(await send(TRAIN, text), 422, 'unknown-dataset', '#/dataset');
});

const jobs = (training: object) => ({ dataset: 'fashion-mnist', training });
const refused: [url: string, body: object, pointer: string, code?: ErrorCode][] = [
  [TRAIN, {}, '#/dataset'],
  [TRAIN, { dataset: 7 }, '#/dataset'],
  [TRAIN, { dataset: 'mnist' }, '#/dataset', 'unknown-dataset'],
  [TRAIN, { dataset: '' }, '#/dataset'],
  [TRAIN, { dataset: 'fashion-mnist', epochs: 3 }, '#/epochs'],
  [TRAIN, { dataset: 'fashion-mnist', 'a/b~c': 3 }, '#/a~1b~0c'],
  [TRAIN, { dataset: 'fashion-mnist', modelName: 'No Name' }, '#/modelName'],
  [TRAIN, { dataset: 'fashion-mnist', seed: 0.5 }, '#/seed'],
  [TRAIN, { dataset: 'fashion-mnist', seed: 2 ** 32 }, '#/seed'],
  [TRAIN, { dataset: 'fashion-mnist', metadata: { a: 1 } }, '#/metadata/a'],
  [TRAIN, { dataset: 'fashion-mnist', network: { hidden: [1e9] } }, '#/network/hidden/0'],
  [TRAIN, { dataset: 'fashion-mnist', network: { hidden: [40, 0] } }, '#/network/hidden/1'],
  [TRAIN, { dataset: 'fashion-mnist', network: { hidden: new Array(9).fill(1) } }, '#/network/hidden'],
  [TRAIN, { dataset: 'fashion-mnist', network: { activation: 'swish' } }, '#/network/activation'],
  [TRAIN, { dataset: 'fashion-mnist', network: null }, '#/network'],
  [TRAIN, jobs({ epochs: 0 }), '#/training/epochs'],
  [TRAIN, jobs({ epochs: '3' }), '#/training/epochs'],
  [TRAIN, jobs({ batchSize: 1025 }), '#/training/batchSize'],
  [
    TRAIN,
    jobs({ batchSize: 1000, validation: { fraction: 0.99 } }),
    '#/training/batchSize',
    'impossible-request',
  ],
  [TRAIN, jobs({ optimizer: { learningRate: -0.1 } }), '#/training/optimizer/learningRate'],
  [TRAIN, jobs({ optimizer: { learningRate: 101 } }), '#/training/optimizer/learningRate'],
  [TRAIN, jobs({ optimizer: { type: 'adagrad' } }), '#/training/optimizer/type'],
  [TRAIN, jobs({ optimizer: { momentum: 1.5 } }), '#/training/optimizer/momentum'],
  [TRAIN, jobs({ schedule: { type: 'linear' } }), '#/training/schedule/type'],
  [TRAIN, jobs({ schedule: { type: 'exponential' } }), '#/training/schedule/factor'],
  [TRAIN, jobs({ schedule: { type: 'constant', factor: 1 } }), '#/training/schedule/factor'],
  [TRAIN, jobs({ schedule: { type: 'cosine-restarts' } }), '#/training/schedule/period'],
  [
    TRAIN,
    jobs({ schedule: { type: 'cosine-restarts', period: 1, periodFactor: 1.5 } }),
    '#/training/schedule/periodFactor',
  ],
  [TRAIN, jobs({ mixup: { alpha: 0 } }), '#/training/mixup/alpha'],
  [TRAIN, jobs({ mixup: { alpha: 1.5 } }), '#/training/mixup/alpha'],
  [TRAIN, jobs({ mixup: 0.2 }), '#/training/mixup'],
  [TRAIN, jobs({ distillation: {} }), '#/training/distillation/teachers'],
  [TRAIN, jobs({ distillation: { teachers: [] } }), '#/training/distillation/teachers'],
  [TRAIN, jobs({ distillation: { teachers: ['a'], weight: 0 } }), '#/training/distillation/weight'],
  [
    TRAIN,
    jobs({ distillation: { teachers: ['job_01M8E8TNP3GC3BNR047XS0PD92@5'] } }),
    '#/training/distillation/teachers/0',
  ],
  [TRAIN, jobs({ ema: { decay: 1 } }), '#/training/ema/decay'],
  [TRAIN, jobs({ ema: { decay: 0 } }), '#/training/ema/decay'],
  [TRAIN, jobs({ ema: 0.999 }), '#/training/ema'],
  [TRAIN, jobs({ ema: { momentum: 0.9 } }), '#/training/ema/momentum'],
  [TRAIN, jobs({ l2: -1 }), '#/training/l2'],
  [TRAIN, jobs({ validation: { fraction: 1 } }), '#/training/validation/fraction'],
  [TRAIN, jobs({ validation: false }), '#/training/validation'],
  [CHECK, { dataset: 'mnist' }, '#/dataset', 'unknown-dataset'],
  [CHECK, { examples: 0 }, '#/examples'],
  [CHECK, { examples: 1001 }, '#/examples'],
  [CHECK, { examples: 'five' }, '#/examples'],
  [CHECK, { examples: [] }, '#/examples'],
  [CHECK, { examples: [1, -1] }, '#/examples/1'],
  [CHECK, { examples: [60_000] }, '#/examples/0', 'impossible-request'],
  [CHECK, { network: { hidden: [40.5] } }, '#/network/hidden/0'],
  [CHECK, { model: 'nobody' }, '#/model', 'unknown-model'],
  [CHECK, { model: 'Nobody!' }, '#/model'],
  [CHECK, { model: { name: 'a', version: 0 } }, '#/model/version'],
  [CHECK, { model: 'a', network: {} }, '#/model'],
  [CHECK, { scheme: 'backward' }, '#/scheme'],
  [CHECK, { stepSize: 0 }, '#/stepSize'],
  [CHECK, { stepSize: 1 }, '#/stepSize'],
  [CHECK, { coordinates: 'some' }, '#/coordinates'],
  [CHECK, { coordinates: { sample: 0 } }, '#/coordinates/sample'],
  [CHECK, { coordinates: { sample: 1, of: 2 } }, '#/coordinates/of'],
  [CHECK, { tolerance: 0 }, '#/tolerance'],
  [CHECK, { seed: -1 }, '#/seed'],
  [CHECK, { step: 1e-5 }, '#/step'],
];
for (const [url, body, pointer, code = 'invalid-request'] of refused) {
  test(`rejects ${JSON.stringify(body).slice(0, 80)} to ${url} at ${pointer}`, async () => {
    const status = code === 'invalid-request' ? 400 : 422;
    assertProblem(await send(url, JSON.stringify(body)), status, code, pointer);
  });
}

test('reports the limit of an integer, not the limit of safe integers', async () => {
  for (const [seed, limit] of [
    [1e30, 'at most 4294967295'],
    [-1e30, 'at least 0'],
  ] as const) {
    const response = await app.inject({
      method: 'POST',
      url: TRAIN,
      payload: { dataset: 'fashion-mnist', seed },
    });
    const problem = assertProblem(response, 400, 'invalid-request');
    assert.deepEqual(problem.errors, [{ pointer: '#/seed', detail: `Must be ${limit}, but is ${seed}.` }]);
  }
});

test('reports all errors at once', async () => {
  const body = { dataset: 'x', seed: -1, training: { epochs: 0, batch: 7 } };
  const { errors } = assertProblem(await send(TRAIN, JSON.stringify(body)), 400, 'invalid-request');
  const pointers = errors!.map((error) => ('pointer' in error ? error.pointer : ''));
  assert.deepEqual(pointers.toSorted(), ['#/seed', '#/training/batch', '#/training/epochs']);
  const unknown = errors!.find((error) => 'pointer' in error && error.pointer === '#/training/batch');
  assert.match(
    unknown!.detail,
    /^Unknown field `batch`\. Did you mean `batchSize`\? Allowed: epochs, batchSize, threads, optimizer, /,
  );
});

test('lists the first of very many errors and the number of the others', async () => {
  const metadata = Object.fromEntries(Array.from({ length: 9_000 }, (_, i) => [`n${i}`, 1]));
  const payload = JSON.stringify({ dataset: 'fashion-mnist', metadata });
  const response = await send(TRAIN, payload);
  const problem = assertProblem(response, 400, 'invalid-request', '#/metadata/n0');
  assert.equal(problem.errors?.length, 20);
  assert.match(problem.detail, /#\/metadata\/n19: .*\. … and 8,980 more\.$/);
});

test('does not repeat a name of a megabyte', async () => {
  const response = await send(CHECK, JSON.stringify({ ['x'.repeat(1_000_000)]: 1 }));
  assertProblem(response, 400, 'invalid-request');
  assert.ok(response.body.length < 10_000);
});

test('reports errors in terms of the request', async () => {
  const said = async (training: object, metadata = {}) =>
    (await send(TRAIN, JSON.stringify({ dataset: 'fashion-mnist', training, metadata }))).json().detail;
  const schedule = { type: 'exponential', factor: 0.5, every: 2 };
  assert.match(
    await said({ schedule }),
    /every: Unknown field `every`\. Allowed with type "exponential": type, factor\.$/,
  );
  assert.match(
    await said({ schedule: { type: 'constant', factor: 1 } }),
    /factor: Unknown field `factor`\. Allowed with type "constant": type\.$/,
  );
  assert.match(
    await said({}, { ['k'.repeat(65)]: 'x' }),
    /The name of this field must have at most 64 characters, but has 65\./,
  );
  const query = async (text: string) => (await app.inject(`/v1/training-jobs?${text}`)).json().detail;
  assert.match(await query('limit=ten'), /limit: Must be a whole number from 1 to 100\.$/);
  assert.match(await query('limit=1&limit=2'), /limit: Is given more than once\.$/);
  assert.match(await query('after=x&after=y'), /after: Is given more than once\.$/);
});

const WRONG: [body: object, detail: RegExp][] = [
  [
    { training: { optimizer: { type: 'adamax' } } },
    /optimizer\/type: Must be one of "sgd", "rmsprop", "adam", "adamw", but is "adamax"\.$/,
  ],
  [
    { training: { optimizer: { beta1: 0.9 } } },
    /beta1: Unknown field `beta1`\. Allowed with type "sgd": type, learningRate, momentum, nesterov, weightDecay\.$/,
  ],
  [
    { training: { schedule: {} } },
    /schedule\/type: Is required and must be one of "constant", "step", .*"one-cycle"\.$/,
  ],
  [{ training: { schedule: { type: 'step' } } }, /schedule\/every: Is required\.$/],
  [{ dataset: undefined }, /#\/dataset: Is required\.$/],
  [{ warmStart: 5 }, /#\/warmStart: Must be a string or an object, but is 5\.$/],
  [
    { warmStart: { nam: 'a' } },
    /name: Is required\. #\/warmStart\/nam: Unknown field `nam`\. Did you mean `name`\? Allowed: name, version\.$/,
  ],
  [{ training: { classWeights: 'all' } }, /Must be "balanced" or an array, but is "all"\.$/],
];
for (const [body, detail] of WRONG) {
  test(`${JSON.stringify(body)} gives one error with the allowed values`, async () => {
    const response = await send(TRAIN, JSON.stringify({ dataset: 'fashion-mnist', ...body }));
    assert.match(assertProblem(response, 400, 'invalid-request').detail, detail);
  });
}
