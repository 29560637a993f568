/** Generated requests of other protocols: no 5xx, errors in the protocol's format. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { startService, train } from '../../../support/start-service.ts';
import { damaged, mutated, value } from '../../damaged-bodies.ts';
import { binaryRequest, LENGTH } from './kserve-v2/triton-client.ts';

const { app } = await startService({ after }, { MAX_BODY_BYTES: String(2 ** 20) });
await train(app);
const contract = await app.openapi();

const RUNS = { numRuns: 200, endOnFailure: true };
const BLACK: number[] = new Array(784).fill(0);
const INPUT = { name: 'image', shape: [1, 784], datatype: 'UINT8' };

interface Protocol {
  readonly path: string;
  readonly url: string;
  readonly errorKeys: readonly string[];
  readonly bodies: readonly object[];
}

const v2: Protocol = {
  path: '/v2/models/{name}/infer',
  url: '/v2/models/fashion-mnist/infer',
  errorKeys: ['error'],
  bodies: [
    {
      id: 'a',
      parameters: { binary_data_output: false },
      inputs: [{ ...INPUT, parameters: {}, data: BLACK }],
      outputs: [{ name: 'label' }, { name: 'probabilities', parameters: { classification: 2 } }],
    },
  ],
};
const tensorflow: Protocol = {
  path: '/v1/models/{name}:predict',
  url: '/v1/models/fashion-mnist:predict',
  errorKeys: ['error'],
  bodies: [
    { signature_name: 'serving_default', instances: [{ image: BLACK }] },
    { inputs: { image: [BLACK] } },
  ],
};
const mlflow: Protocol = {
  path: '/invocations',
  url: '/invocations',
  errorKeys: ['error_code', 'message'],
  bodies: [
    { inputs: [BLACK], params: { output: 'label' } },
    { dataframe_split: { columns: ['image'], data: [[BLACK]] } },
    { dataframe_records: [{ image: BLACK }] },
  ],
};

async function assertAnswered(
  { path, url, errorKeys }: Protocol,
  payload: Uint8Array | string,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<void> {
  const sent = typeof payload === 'string' ? payload : Buffer.from(payload);
  const response = await app.inject({ method: 'POST', url, headers, payload: sent });
  const { statusCode } = response;
  assert.ok(statusCode === 200 || (statusCode >= 400 && statusCode < 500), `${statusCode} ${response.body}`);
  assert.ok(
    String(statusCode) in contract.paths![path]!.post!.responses!,
    `${path} does not know ${statusCode}`,
  );
  if (statusCode === 200) {
    if (response.headers[LENGTH] === undefined) assert.doesNotMatch(response.body, /null|NaN/);
    return;
  }
  assert.equal(response.headers['content-type'], 'application/json');
  assert.deepEqual(Object.keys(response.json()), errorKeys);
}

for (const protocol of [v2, tensorflow, mlflow]) {
  test(`any JSON to ${protocol.url} succeeds or gets the protocol's error format`, async () => {
    const valid = protocol.bodies.map((body) => mutated(body));
    await fc.assert(
      fc.asyncProperty(fc.oneof(value, ...valid), (body) => assertAnswered(protocol, JSON.stringify(body))),
      RUNS,
    );
    await assertAnswered(protocol, JSON.stringify(protocol.bodies[0]));
  });

  test(`any bytes to ${protocol.url} succeed or get the protocol's error format`, async () => {
    const valid = protocol.bodies.map((body) => damaged(Buffer.from(JSON.stringify(body))));
    await fc.assert(
      fc.asyncProperty(fc.oneof(...valid), (bytes) => assertAnswered(protocol, bytes)),
      RUNS,
    );
    await assertAnswered(protocol, JSON.stringify(protocol.bodies[0]));
  });

  test(`any content type, encoding and length in the headers of ${protocol.url} succeeds or is rejected`, async () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme-ascii', maxLength: 12 }).filter((sent) => /^[\x20-\x7e]*$/.test(sent)),
      fc.constantFrom(
        'gzip',
        'deflate',
        'identity',
        'text/csv; header=present',
        'application/octet-stream',
        '0',
        '9',
      ),
    );
    const headers = fc.record(
      { 'content-type': text, 'content-encoding': text, [LENGTH]: text },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(headers, (sent) => assertAnswered(protocol, JSON.stringify(protocol.bodies[0]), sent)),
      RUNS,
    );
  });
}

test('any damaged binary request succeeds or is rejected', async () => {
  const tensor = new Uint8Array(784);
  const json = {
    inputs: [{ ...INPUT, parameters: { binary_data_size: 784 } }],
    ...{ parameters: { binary_data_output: true } },
  };
  const { headers, payload } = binaryRequest(json, [tensor]);
  const length = fc.oneof(fc.constant(headers[LENGTH]), fc.nat(payload.length + 10).map(String));
  await fc.assert(
    fc.asyncProperty(damaged(payload), length, (bytes, sent) =>
      assertAnswered(v2, bytes, { [LENGTH]: sent }),
    ),
    RUNS,
  );
});

test('any bytes sent as compressed succeed or are rejected', async () => {
  const compressed = gzipSync(JSON.stringify(v2.bodies[0]));
  await fc.assert(
    fc.asyncProperty(damaged(compressed), (bytes) =>
      assertAnswered(v2, bytes, { 'content-type': 'application/json', 'content-encoding': 'gzip' }),
    ),
    RUNS,
  );
});

test('any CSV succeeds or is rejected', async () => {
  const type = fc.constantFrom('text/csv', 'text/csv; header=present', 'text/csv; header=absent');
  await fc.assert(
    fc.asyncProperty(damaged(Buffer.from(`${BLACK.join()}\n${BLACK.join()}`)), type, (bytes, sent) =>
      assertAnswered(mlflow, bytes, { 'content-type': sent }),
    ),
    RUNS,
  );
});

test('any path below /v2 gives a resource or {"error": "text"}', async () => {
  const segment = fc.oneof(
    fc.constantFrom(
      'models',
      'fashion-mnist',
      'versions',
      '1',
      'infer',
      'ready',
      'stats',
      'repository',
      'index',
      '..',
      '%zz',
      '',
    ),
    fc.string({ unit: 'binary', maxLength: 8 }).map((text) => encodeURIComponent(text.toWellFormed())),
  );
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE');
  await fc.assert(
    fc.asyncProperty(fc.array(segment, { maxLength: 6 }), method, async (segments, verb) => {
      const response = await app.inject({ method: verb as 'GET', url: `/v2/models/${segments.join('/')}` });
      assert.ok(response.statusCode < 500, response.body);
      // Segments with dots may lead to a path outside the protocol.
      if (response.statusCode >= 400 && !segments.includes('..')) {
        assert.deepEqual(Object.keys(response.json()), ['error']);
      }
    }),
    RUNS,
  );
});
