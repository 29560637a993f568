/** Gradient checks with a gradient of the client, as forms. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { zipSync } from 'fflate';
import { type GradientCheck, gradientCheckSchema } from '../../../src/domain/checks/gradient.ts';
import { npyBytes, parseNpy } from '../../../src/formats/arrays/npy.ts';
import { encodeForm, type Form } from '../../http/upload.ts';
import { assertProblem, startService, tiny, train } from '../../support/start-service.ts';

const { app } = await startService({ after });
const URL_PATH = '/v1/gradient-checks';

async function post(form: Form, query = '', headers: Record<string, string> = {}) {
  const { payload, headers: own } = await encodeForm(form);
  return app.inject({ method: 'POST', url: URL_PATH + query, payload, headers: { ...own, ...headers } });
}

async function submit(
  request: object,
  gradient: Uint8Array,
): Promise<NonNullable<GradientCheck['submitted']>> {
  const response = await post({ request: JSON.stringify(request), gradient });
  assert.equal(response.statusCode, 200, response.body);
  const report = gradientCheckSchema.strict().parse(response.json());
  assert.equal(report.passed, true, 'the gradient of the reference');
  return report.submitted!;
}

/** A packed vector of the request. */
async function vector(payload: object, name: 'analytic' | 'parameters'): Promise<Float64Array> {
  const url = `${URL_PATH}?vector=${name}`;
  const headers = { accept: 'application/x-npy' };
  const { rawPayload } = await app.inject({ method: 'POST', url, payload, headers });
  return Float64Array.from(parseNpy(rawPayload).data as Float64Array | Float32Array);
}

const pack = (values: Float64Array | Float32Array) => npyBytes(values, [values.length]);
const kinds = ({ blocks }: { readonly blocks: NonNullable<GradientCheck['submitted']>['blocks'] }) =>
  blocks.map(({ name, hint }) => [name, hint?.kind ?? null, hint?.factor ?? null]);

const network = { hidden: [6] };
const right = await vector({ network }, 'analytic');
const W1 = 784 * 6;

test("a right gradient agrees, and the response of JSON has no 'submitted'", async () => {
  for (const values of [right, Float32Array.from(right)]) {
    const { agrees, relativeError, cosine, blocks } = await submit({ network }, pack(values));
    assert.deepEqual([agrees, blocks.map(({ hint }) => hint)], [true, [null, null, null, null]]);
    assert.ok(relativeError! < 1e-6 && Math.abs(cosine! - 1) < 1e-12);
  }
  const plain = await app.inject({ method: 'POST', url: URL_PATH, payload: { network } });
  assert.equal('submitted' in plain.json(), false);
});

test('the defect of the notebook is found in its W blocks, and named', async () => {
  const given = right.map((value, i) =>
    i < W1 || (i >= W1 + 6 && i < right.length - 10) ? 5 * value : value,
  );
  const submitted = await submit({ network }, pack(given));
  assert.equal(submitted.agrees, false);
  assert.deepEqual(kinds(submitted), [
    ['W1', 'constant-factor', 5],
    ['b1', null, null],
    ['W2', 'constant-factor', 5],
    ['b2', null, null],
  ]);
  assert.match(submitted.blocks[0]!.hint!.sentence, /a sum over the 5 examples .* the notebook/);
});

test('numbers whose squares overflow do not agree', async () => {
  for (const values of [right.map((value) => 1e300 * value), right.map(() => 1.7e308)]) {
    const { agrees, relativeError, blocks } = await submit({ network }, pack(values));
    assert.deepEqual([agrees, relativeError], [false, 1]);
    assert.ok(blocks.every((block) => !block.agrees && block.relativeError === 1));
  }
});

test('the number of examples of the request is the factor of a sum', async () => {
  const request = { network, examples: [7, 3, 9], tolerance: 1e-9 };
  const given = (await vector(request, 'analytic')).map((value) => 3 * value);
  const { blocks, ...rest } = await submit(request, pack(given));
  assert.ok(kinds({ blocks }).every(([, kind, factor]) => kind === 'constant-factor' && factor === 3));
  assert.ok(Math.abs(rest.relativeError! - 2 / 3) < 1e-9);
  assert.deepEqual(new Set(blocks.map(({ tolerance }) => tolerance)), new Set([1e-9]));
});

test('an npz file holds the blocks of a trained model under their names, in their shape or flat', async () => {
  await train(app, tiny({ modelName: 'submitted' }));
  const request = { model: 'submitted', examples: 3 };
  const gradient = await vector(request, 'analytic');
  const part = (start: number, end: number) => gradient.slice(start, end);
  const arrays = {
    'b1.npy': npyBytes(part(3136, 3140), [4]),
    'W1.npy': npyBytes(part(0, 3136), [4, 784]),
    'W2.npy': npyBytes(part(3140, 3180), [40]),
    'b2.npy': npyBytes(
      part(3180, 3190).map((value) => -value),
      [10, 1],
    ),
  };
  const submitted = await submit(request, zipSync(arrays));
  assert.deepEqual(
    kinds(submitted).filter(([, kind]) => kind !== null),
    [['b2', 'sign', null]],
  );
});

test('the parameters of a check are those of the seed, and of the model', async () => {
  const initial = await vector({ network }, 'parameters');
  assert.equal(initial.length, right.length);
  const limit = 1 / Math.sqrt(784);
  assert.ok(initial.subarray(0, W1).every((value) => Math.abs(value) <= limit));
  assert.deepEqual([...initial.subarray(W1, W1 + 6)], new Array(6).fill(0.01));
  assert.notDeepEqual(await vector({ network, seed: 1 }, 'parameters'), initial);
});

test('a form can also get a vector', async () => {
  const form = { request: JSON.stringify({ network }), gradient: pack(right) };
  const { rawPayload } = await post(form, '', { accept: 'application/x-npy' });
  assert.deepEqual(parseNpy(rawPayload).data, right);
});

test('a form can also be followed as a stream of events', async () => {
  const form = { request: JSON.stringify({ network }), gradient: pack(right) };
  const { body } = await post(form, '', { accept: 'text/event-stream' });
  const data = /^event: result\r?\n(?:.*\r?\n)*?data: (.*)$/m.exec(body)?.[1];
  assert.equal(gradientCheckSchema.parse(JSON.parse(data!).data).submitted?.agrees, true, body);
});

test('rejects a gradient that does not fit, with what was expected', async () => {
  const form = { request: JSON.stringify({ network }), gradient: pack(right.subarray(1)) };
  const problem = assertProblem(await post(form), 422, 'invalid-gradient-file', '#/gradient');
  assert.match(
    problem.detail,
    /\(4779,\); expected \(4780,\), .* 784-6-10 network: W1 4704, b1 6, W2 60, b2 10\.$/,
  );
  const integers = { gradient: npyBytes(new Uint8Array(31_810), [31_810]) };
  assertProblem(await post(integers), 422, 'invalid-gradient-file', '#/gradient');
});

test('rejects forms with other parts, and validates the request as JSON is', async () => {
  const gradient = pack(right);
  const bad: [Form, number, string, string?][] = [
    [{ request: '{}' }, 400, 'invalid-request', '#/gradient'],
    [{ request: '{}', gradient: 'numbers' }, 400, 'invalid-request', '#/gradient'],
    [{ request: '{}', gradient, file: gradient }, 400, 'malformed-body'],
    [{ request: '{}', gradient, examples: '5' }, 400, 'invalid-request', '#/examples'],
    [{ request: '{"examples": 5', gradient }, 400, 'malformed-body'],
    [{ request: '{"examples": 5, "examples": 6}', gradient }, 400, 'malformed-body'],
    [{ request: '{"__proto__": {}}', gradient }, 400, 'malformed-body'],
    [{ request: 'null', gradient }, 400, 'invalid-request', '#'],
    [{ request: '{"examples": 0}', gradient }, 400, 'invalid-request', '#/examples'],
    [{ request: '{"network": {"hidden": [-1]}}', gradient }, 400, 'invalid-request', '#/network/hidden/0'],
    [{ request: '{"model": "missing"}', gradient }, 422, 'unknown-model', '#/model'],
  ];
  for (const [form, status, code, pointer] of bad) {
    assertProblem(await post(form), status, code as 'invalid-request', pointer);
  }
  const type = await app.inject({
    method: 'POST',
    url: URL_PATH,
    payload: 'x',
    headers: { 'content-type': 'text/csv' },
  });
  const { detail } = assertProblem(type, 415, 'unsupported-media-type');
  assert.match(detail, /application\/json, multipart\/form-data/);
});

test('the cost of the comparison counts: rejects too many examples by name', async () => {
  const request = { network: { hidden: [2000] }, coordinates: { sample: 1 }, examples: 400 };
  const form = { request: JSON.stringify(request), gradient: pack(right) };
  const { detail } = assertProblem(await post(form), 422, 'check-too-costly', '#/examples');
  const allowed = Number(/at most (\d+)/.exec(detail)![1]);
  assert.ok(allowed > 50 && allowed < 400, detail);
});
