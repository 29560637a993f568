import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { DatasetSummary } from '../../../../src/domain/datasets/representation.ts';
import { parseNpy } from '../../../../src/formats/arrays/npy.ts';
import { DIGIT_NAMES, digits } from '../../../datasets/upload/fixtures.ts';
import { assertProblem, startService, temporaryDirectory } from '../../../support/start-service.ts';
import { upload } from '../../upload.ts';

const { app } = await startService({ after });
const classNames = JSON.stringify(DIGIT_NAMES);
const dataset = (await upload(app, { file: digits, classNames })).json<DatasetSummary>();
const PATH = `/v1/datasets/${dataset.id}`;
const get = (path: string, headers: Record<string, string> = {}) => app.inject({ url: PATH + path, headers });

test('an exported data set that is uploaded again has the same digest and the same id', async () => {
  const exported = await get('/export');
  assert.deepEqual(
    [exported.statusCode, exported.headers['content-type'], exported.headers['content-disposition']],
    [200, 'application/zip', `attachment; filename="${dataset.id}.npz"`],
  );
  const again = await upload(app, { file: exported.rawPayload, classNames });
  assert.deepEqual([again.statusCode, again.json<DatasetSummary>().id], [200, dataset.id]);
  const unnamed = await upload(app, { file: exported.rawPayload });
  assert.deepEqual([unnamed.statusCode, unnamed.json<DatasetSummary>().digest], [201, dataset.digest]);
  const fresh = await get('/export', { 'if-none-match': String(exported.headers.etag) });
  assert.deepEqual([fresh.statusCode, fresh.body], [304, '']);
  assertProblem(await app.inject('/v1/datasets/nothing/export'), 404, 'dataset-not-found');
});

const python = '/usr/bin/python3';
const numpy = existsSync(python) && existsSync('/usr/lib/python3/dist-packages/numpy');

test('NumPy reads an export', { skip: numpy ? false : 'NumPy is not installed' }, async (t) => {
  const file = join(await temporaryDirectory(t), 'exported.npz');
  writeFileSync(file, (await get('/export')).rawPayload);
  const script =
    'import sys, numpy as np\n' +
    'with np.load(sys.argv[1]) as a: print(*(f"{n} {a[n].dtype} {a[n].shape} {int(a[n].sum(dtype=np.int64))}" for n in a), sep="\\n")';
  const { train, test } = dataset.splits;
  const lines = execFileSync(python, ['-c', script, file]).toString().trim().split('\n');
  assert.deepEqual(
    lines.map((line) => line.replace(/ \d+$/, '')),
    [
      `x_train uint8 (${train.examples}, 28, 28)`,
      `y_train uint8 (${train.examples},)`,
      `x_test uint8 (${test.examples}, 28, 28)`,
      `y_test uint8 (${test.examples},)`,
    ],
  );
});

test('the images of a split are read in slices', async () => {
  const { examples } = dataset.splits.test;
  const one = (index: number) => get(`/splits/test/images/${index}`, { accept: 'application/octet-stream' });
  const slice = await get('/splits/test/images?offset=2&limit=3');
  const { shape, data } = parseNpy(slice.rawPayload);
  assert.deepEqual([slice.headers['content-type'], shape], ['application/x-npy', [3, 28, 28]]);
  const images = Buffer.concat((await Promise.all([2, 3, 4].map(one))).map(({ rawPayload }) => rawPayload));
  assert.deepEqual(Buffer.from(data as Uint8Array), images);
  const bytes = await get('/splits/test/images?offset=2&limit=3', { accept: 'application/octet-stream' });
  assert.deepEqual(bytes.rawPayload, images);

  const last = parseNpy((await get(`/splits/test/images?offset=${examples - 1}&limit=10000`)).rawPayload);
  assert.deepEqual(last.shape, [1, 28, 28]);
  assert.deepEqual(
    parseNpy((await get(`/splits/test/images?offset=${examples}`)).rawPayload).shape,
    [0, 28, 28],
  );
  assert.deepEqual(parseNpy((await get('/splits/test/images')).rawPayload).shape, [100, 28, 28]);

  assertProblem(await get('/splits/test/images?limit=10001'), 400, 'invalid-request', 'limit');
  assertProblem(await get('/splits/test/images?offset=-1'), 400, 'invalid-request', 'offset');
  assertProblem(await get('/splits/test/images', { accept: 'image/png' }), 406, 'not-acceptable');
  assertProblem(await app.inject('/v1/datasets/nothing/splits/test/images'), 404, 'dataset-not-found');
});
