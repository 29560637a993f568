import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { datasetSchema } from '../../../../src/domain/datasets/representation.ts';
import { parseNpy } from '../../../../src/formats/arrays/npy.ts';
import { datasetRoutes } from '../../../../src/http/routes/datasets/collection.ts';
import { DATA_DIR } from '../../../support/data-directory.ts';
import { assertProblem, startService, testImage } from '../../../support/start-service.ts';
import { serveRoutes } from '../bare-app.ts';

const { app } = await startService({ after }, { DATA_DIR });
const IMAGE = '/v1/datasets/fashion-mnist/splits/test/images/0';

test('the list contains the built-in data set in the same representation, without its looks', async () => {
  const one = await app.inject('/v1/datasets/fashion-mnist');
  assert.equal(one.statusCode, 200);
  const dataset = datasetSchema.parse(one.json());
  assert.deepEqual(one.json(), {
    id: 'fashion-mnist',
    name: null,
    createdAt: null,
    imageShape: [28, 28],
    classNames: [
      'T-shirt/top',
      'Trouser',
      'Pullover',
      'Dress',
      'Coat',
      'Sandal',
      'Shirt',
      'Sneaker',
      'Bag',
      'Ankle boot',
    ],
    splits: {
      train: { examples: 60_000, examplesPerClass: new Array(10).fill(6000) },
      test: { examples: 10_000, examplesPerClass: new Array(10).fill(1000), looks: 0 },
    },
    digest: dataset.digest,
    preprocessing: null,
    report: null,
  });
  assert.match(dataset.digest, /^sha256:[0-9a-f]{64}$/);
  const { looks: _, ...testSplit } = dataset.splits.test;
  assert.deepEqual((await app.inject('/v1/datasets')).json(), {
    data: [{ ...dataset, splits: { ...dataset.splits, test: testSplit } }],
    firstId: 'fashion-mnist',
    lastId: 'fashion-mnist',
    hasMore: false,
  });
});

test('the page after the last data set is empty', async () => {
  assertProblem(await app.inject('/v1/datasets?after=nobody'), 400, 'invalid-request', 'after');
  const response = await app.inject('/v1/datasets?limit=1&after=fashion-mnist');
  assert.deepEqual(response.json(), { data: [], firstId: null, lastId: null, hasMore: false });
});

test('an image is a PNG by default, with label and class in the headers', async () => {
  const response = await app.inject(IMAGE);
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers['content-type'], 'image/png');
  assert.equal(response.headers['x-label'], '9');
  assert.equal(response.headers['x-class-name'], 'Ankle boot');
  const { format, width, height, channels, depth } = await sharp(response.rawPayload).metadata();
  assert.deepEqual(
    { format, width, height, channels, depth },
    { format: 'png', width: 28, height: 28, channels: 1, depth: 'uchar' },
  );
});

test('all formats of an image have the same 784 pixels', async () => {
  const bytes = await testImage(app, 17);
  assert.equal(bytes.length, 784);
  const png = await sharp(await testImage(app, 17, 'image/png'))
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  assert.deepEqual([...png], [...bytes]);
  const npy = parseNpy(await testImage(app, 17, 'application/x-npy'));
  assert.deepEqual([npy.shape, npy.dtype], [[28, 28], 'u1']);
  assert.deepEqual([...(npy.data as Uint8Array)], [...bytes]);
  const json = JSON.parse(String(await testImage(app, 17, 'application/json')));
  assert.deepEqual(Object.keys(json), ['label', 'className', 'image']);
  assert.deepEqual(json.image.flat(), [...bytes]);
  assert.equal(json.image.length, 28);
});

test('the labels of a split match its images, as npy or raw bytes', async () => {
  const url = '/v1/datasets/fashion-mnist/splits/test/labels';
  const response = await app.inject(url);
  assert.match(String(response.headers['cache-control']), /immutable/);
  const npy = parseNpy(response.rawPayload);
  assert.deepEqual([npy.shape, npy.dtype], [[10_000], 'u1']);
  for (const index of [0, 17, 9_999]) {
    const image = await app.inject(`/v1/datasets/fashion-mnist/splits/test/images/${index}`);
    assert.equal(String(npy.data[index]), image.headers['x-label']);
  }
  const raw = await app.inject({ url, headers: { accept: 'application/octet-stream' } });
  assert.deepEqual([...raw.rawPayload], [...(npy.data as Uint8Array)]);
});

test('responds with the type of the highest quality', async () => {
  const accept = 'image/png;q=0.5, application/x-npy;q=0.9, text/html';
  const response = await app.inject({ url: IMAGE, headers: { accept } });
  assert.equal(response.headers['content-type'], 'application/x-npy');
  const wildcard = await app.inject({ url: IMAGE, headers: { accept: 'image/*' } });
  assert.equal(wildcard.headers['content-type'], 'image/png');
});

test('ignores parameters of accepted types except q', async () => {
  for (const [accept, type] of [
    ['image/png;charset=utf-8', 'image/png'],
    ['application/x-npy; version=1; q=0.9, image/png;note="a, b;q=1";q=0.5', 'application/x-npy'],
    ['application/x-npy;q=0.1;x=1, image/png ; Level = 1 ; Q=0.2', 'image/png'],
    ['application/x-npy;flag, image/png;q=0', 'application/x-npy'],
  ]) {
    const { headers } = await app.inject({ url: IMAGE, headers: { accept } });
    assert.equal(headers['content-type'], type, accept);
  }
  const refused = await app.inject({ url: IMAGE, headers: { accept: 'image/png;level=1;q=0' } });
  assertProblem(refused, 406, 'not-acceptable');
});

test('a type that is not offered gives 406 with the offered ones', async () => {
  const response = await app.inject({ url: IMAGE, headers: { accept: 'image/gif' } });
  assert.match(assertProblem(response, 406, 'not-acceptable').detail, /image\/png, application\/x-npy/);
});

test('both splits have a first and a last image, and no image after it', async () => {
  for (const [split, last] of [
    ['train', 59_999],
    ['test', 9_999],
  ]) {
    const url = `/v1/datasets/fashion-mnist/splits/${split}/images`;
    assert.equal((await app.inject(`${url}/${last}`)).statusCode, 200);
    const problem = assertProblem(await app.inject(`${url}/${Number(last) + 1}`), 404, 'image-not-found');
    assert.match(problem.detail, new RegExp(`0 to ${last}`));
  }
});

test('rejects an index that is not a whole number by name', async () => {
  for (const index of ['%20', '-1', '1.5', '0x10', '1e2', 'first', '9'.repeat(40)]) {
    const response = await app.inject(`/v1/datasets/fashion-mnist/splits/test/images/${index}`);
    assertProblem(response, 400, 'invalid-request', 'index');
  }
});

test('rejects a missing split or data set', async () => {
  const split = (name: string) => app.inject(`/v1/datasets/fashion-mnist/splits/${name}`);
  assertProblem(await split('val/images/0'), 400, 'invalid-request', 'split');
  for (const path of ['validation/images/0', 'validation/images', 'validation/labels'])
    assertProblem(await split(path), 422, 'impossible-request', 'split');
  for (const url of [
    '/v1/datasets/mnist',
    '/v1/datasets/mnist/splits/test/images/0',
    '/v1/datasets/__proto__',
  ]) {
    assert.match(assertProblem(await app.inject(url), 404, 'dataset-not-found').detail, /fashion-mnist/);
  }
});

test('data sets are filtered by their time of creation, in pages of either order', async () => {
  const builtIn = (await app.inject('/v1/datasets')).json().data[0];
  const day = (n: number) => `2026-01-0${n}T00:00:00.000Z`;
  const uploaded = [3, 2, 1].map((n) => ({ ...builtIn, id: `dst_${n}`, createdAt: day(n) }));
  const bare = await serveRoutes(datasetRoutes, { catalog: { list: () => [...uploaded, builtIn] } });
  for (const [query, expected] of [
    ['', 'dst_3 dst_2 dst_1 fashion-mnist'],
    ['sort=-createdAt', 'dst_3 dst_2 dst_1 fashion-mnist'],
    ['sort=createdAt', 'fashion-mnist dst_1 dst_2 dst_3'],
    [`createdAfter=${day(1)}`, 'dst_3 dst_2'],
    [`createdBefore=${day(3)}`, 'dst_2 dst_1'],
    [`createdAfter=${day(1)}&createdBefore=${day(3)}&sort=createdAt`, 'dst_2'],
    ['limit=4', 'dst_3 dst_2 dst_1 fashion-mnist'],
    ['limit=3', 'dst_3 dst_2 dst_1 …'],
    ['limit=1&after=dst_3', 'dst_2 …'],
    ['after=dst_2', 'dst_1 fashion-mnist'],
    ['after=dst_2&sort=createdAt', 'dst_3'],
  ] as const) {
    const { data, hasMore } = (await bare.inject(`/v1/datasets?${query}`)).json();
    const ids = data.map(({ id }: { id: string }) => id);
    assert.equal([...ids, ...(hasMore ? ['…'] : [])].join(' '), expected, query);
  }
});
