import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { npyBytes } from '../../../../src/formats/arrays/npy.ts';
import { datasetImageRoutes } from '../../../../src/http/routes/datasets/images.ts';
import { serveRoutes } from '../bare-app.ts';

/** Three training images of 1×2 pixels. */
const dataset = {
  ...{ id: 'tiny', digest: 'sha256:1', imageShape: [1, 2], classNames: ['a', 'é x'] },
  train: { pixels: Uint8Array.of(1, 2, 3, 4, 5, 6), labels: Uint8Array.of(0, 1, 0) },
  test: { pixels: Uint8Array.of(9, 8), labels: Uint8Array.of(1) },
};
/** The same images with labels of two bytes. */
const many = {
  ...dataset,
  classNames: Array.from({ length: 301 }, (_, n) => `${n}`),
  train: { pixels: dataset.train.pixels, labels: Uint16Array.of(300, 0, 255) },
};
const datasets = new Map<string, typeof dataset | typeof many>(Object.entries({ tiny: dataset, many }));
const find = async (id: string) => datasets.get(id);
const app = await serveRoutes(datasetImageRoutes, { catalog: { find, get: find, list: () => [dataset] } });
const get = (path: string, headers = {}) => app.inject({ url: `/v1/datasets/${path}`, headers });
const RAW = { accept: 'application/octet-stream' };
const NPY = { accept: 'application/x-npy' };
const IMMUTABLE = 'private, max-age=31536000, immutable';

test('labels are one byte per image, as npy or raw', async () => {
  const npy = await get('tiny/splits/train/labels');
  assert.deepEqual(npy.rawPayload, Buffer.from(npyBytes(Uint8Array.of(0, 1, 0), [3])));
  assert.deepEqual(
    [npy.headers['content-type'], npy.headers['cache-control']],
    ['application/x-npy', IMMUTABLE],
  );
  assert.deepEqual((await get('tiny/splits/test/labels', RAW)).rawPayload, Buffer.of(1));
});

test('labels of more than 256 classes are two little-endian bytes per image', async () => {
  const raw = await get('many/splits/train/labels', RAW);
  assert.deepEqual(raw.rawPayload, Buffer.of(44, 1, 0, 0, 255, 0));
  assert.deepEqual(
    (await get('many/splits/train/labels')).rawPayload,
    Buffer.from(npyBytes(Uint16Array.of(300, 0, 255), [3])),
  );
});

test('a slice of images ends with its split', async () => {
  const slice = async (query: string) => [...(await get(`tiny/splits/train/images${query}`, RAW)).rawPayload];
  assert.deepEqual(await slice(''), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(await slice('?offset=1&limit=1'), [3, 4]);
  assert.deepEqual(await slice('?offset=2&limit=10000'), [5, 6]);
  assert.deepEqual(await slice('?offset=3'), []);
  const npy = await get('tiny/splits/train/images?offset=1', NPY);
  assert.deepEqual(npy.rawPayload, Buffer.from(npyBytes(Uint8Array.of(3, 4, 5, 6), [2, 1, 2])));
  assert.equal((await get('tiny/splits/train/images?limit=10001')).statusCode, 400);
});

test('a slice has a tag of its own, and may be continued', async () => {
  const url = 'tiny/splits/train/images';
  const whole = await get(url, RAW);
  assert.deepEqual([whole.headers['cache-control'], whole.headers['accept-ranges']], [IMMUTABLE, 'bytes']);
  const part = await get(url, { ...RAW, range: 'bytes=1-3' });
  assert.deepEqual(
    [part.statusCode, part.headers['content-range'], [...part.rawPayload]],
    [206, 'bytes 1-3/6', [2, 3, 4]],
  );
  const tags = new Set([whole.headers.etag]);
  for (const [path, headers] of [
    [`${url}?offset=1`, RAW],
    [`${url}?limit=1`, RAW],
    [url, NPY],
    ['tiny/splits/test/images', RAW],
  ] as const)
    tags.add((await get(path, headers)).headers.etag);
  assert.equal(tags.size, 5);
  assert.equal((await get(url, { ...RAW, 'if-none-match': whole.headers.etag })).statusCode, 304);
});

test('an image is PNG, npy, bytes or JSON, with its label and class', async () => {
  const url = 'tiny/splits/train/images/1';
  const png = await get(url);
  assert.deepEqual(
    [png.headers['content-type'], png.headers['x-label'], png.headers['x-class-name']],
    ['image/png', '1', '%C3%A9 x'],
  );
  assert.deepEqual([...(await sharp(png.rawPayload).greyscale().raw().toBuffer())], [3, 4]);
  assert.deepEqual((await get(url, NPY)).rawPayload, Buffer.from(npyBytes(Uint8Array.of(3, 4), [1, 2])));
  const raw = await get(url, RAW);
  assert.deepEqual([[...raw.rawPayload], raw.headers['cache-control']], [[3, 4], IMMUTABLE]);
  assert.deepEqual([...(await get(url, { ...RAW, range: 'bytes=1-' })).rawPayload], [4]);
  assert.deepEqual((await get(url, { accept: 'application/json' })).json(), {
    label: 1,
    className: 'é x',
    image: [[3, 4]],
  });
});

test('an unknown image or data set is not found', async () => {
  const image = (await get('tiny/splits/train/images/3')).json();
  assert.deepEqual(
    [image.code, image.detail],
    ['image-not-found', 'There is no train image 3. Valid indices are 0 to 2.'],
  );
  for (const path of ['labels', 'images', 'images/0'])
    assert.equal((await get(`none/splits/train/${path}`)).json().code, 'dataset-not-found', path);
});
