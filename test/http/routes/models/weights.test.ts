import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { assertProblem, startService, tiny, train } from '../../../support/start-service.ts';

const { app } = await startService({ after });
await train(app, tiny({ modelName: 'drawn', network: { hidden: [6, 3] } }));
const WEIGHTS = '/v1/models/drawn/versions/1/weights';
const get = (query: string, headers: Record<string, string> = {}) =>
  app.inject({ url: `${WEIGHTS}${query}`, headers });

async function sizeOf(query: string) {
  const response = await get(query);
  assert.equal(response.statusCode, 200, response.body);
  assert.equal(response.headers['content-type'], 'image/png');
  const { width, height, format } = await sharp(response.rawPayload).metadata();
  assert.equal(format, 'png');
  return { width: width!, height: height! };
}

test('draws the first layer by default, with a 28×28 tile per unit', async () => {
  const [all, one] = [await get(''), await get('?layer=1')];
  assert.deepEqual(all.rawPayload, one.rawPayload);
  const whole = await sizeOf('');
  const single = await sizeOf('?unit=5');
  assert.ok(whole.width > single.width && whole.height > single.height && single.width > 28);
});

test('each layer and each unit gives a different image', async () => {
  const queries = ['', '?layer=2', '?layer=3', '?unit=0', '?unit=1', '?layer=3&unit=9'];
  const pictures = [];
  for (const query of queries) pictures.push((await get(query)).rawPayload.toString('base64'));
  assert.equal(new Set(pictures).size, queries.length);
});

test('the image of a version is cacheable and has an ETag', async () => {
  const { headers } = await get('');
  assert.equal(headers['cache-control'], 'private, max-age=31536000, immutable');
  const again = await get('', { 'if-none-match': String(headers['etag']) });
  assert.deepEqual([again.statusCode, again.body], [304, '']);
});

test('HEAD has the headers of GET, without the image', async () => {
  const [head, whole] = [await app.inject({ method: 'HEAD', url: WEIGHTS }), await get('')];
  assert.deepEqual([head.statusCode, head.body], [200, '']);
  for (const name of ['content-type', 'content-length', 'etag', 'cache-control']) {
    assert.equal(head.headers[name], whole.headers[name], name);
  }
});

for (const [query, status, code, place, words] of [
  ['?layer=4', 422, 'impossible-request', 'layer', /784-6-3-10 network: layer must be 1 to 3/],
  ['?layer=0', 400, 'invalid-request', 'layer', /layer/],
  ['?layer=first', 400, 'invalid-request', 'layer', /layer/],
  ['?unit=6', 422, 'impossible-request', 'unit', /unit must be 0 to 5 in layer 1/],
  ['?layer=3&unit=10', 422, 'impossible-request', 'unit', /unit must be 0 to 9 in layer 3/],
  ['?unit=-1', 400, 'invalid-request', 'unit', /unit/],
  ['?unit=', 400, 'invalid-request', 'unit', /unit/],
  ['?units=1', 400, 'invalid-request', 'units', /layer, unit/],
] as const) {
  test(`rejects weights${query}: ${status} ${code}`, async () => {
    assert.match(assertProblem(await get(query), status, code, place).detail, words);
  });
}

test('rejects a missing version and other types', async () => {
  assertProblem(await app.inject('/v1/models/drawn/versions/2/weights'), 404, 'model-not-found');
  assertProblem(await app.inject('/v1/models/other/versions/1/weights'), 404, 'model-not-found');
  assertProblem(await get('', { accept: 'application/json' }), 406, 'not-acceptable');
});
