/** Memory that uploads reserve while their images are looked at and read. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { type DatasetFields, datasetFieldsSchema } from '../../../src/domain/datasets/upload-form.ts';
import { createUploadedDatasetService } from '../../../src/services/datasets/uploads.ts';
import { createMemoryLedger, MEBIBYTE } from '../../../src/services/memory/ledger.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { createDatasetPool, type DatasetPool } from '../../../src/workers/pools.ts';
import { npz, small } from '../../datasets/upload/fixtures.ts';
import { failure } from '../../store/fixtures.ts';
import { catalogOf, WITHOUT_IMAGES } from '../../support/catalog.ts';
import { temporaryDirectory } from '../../support/start-service.ts';

const directory = await temporaryDirectory({ after });
const store = await openStore(directory);
after(() => store.close());
const pool = createDatasetPool(assert.fail);
after(() => pool.close());
const memory = createMemoryLedger({ limit: 400 * MEBIBYTE, base: 0 });

/** Tasks of uploads, with the memory in MiB that is reserved when they start. */
const reserved: Record<string, number> = {};
const checks: DatasetPool = {
  close: pool.close,
  run: (name, task, signal, transfer, admit) =>
    pool.run(name, task, signal, transfer, () => {
      const admission = admit?.() ?? { [Symbol.dispose]() {} };
      reserved[name] = Math.round(memory.used() / MEBIBYTE);
      return admission;
    }),
};
const service = createUploadedDatasetService({
  datasets: store.datasets,
  catalog: catalogOf(),
  checks,
  maxDatasetBytes: 2 ** 26,
  maxImagePixels: 2 ** 24,
  memory,
});

async function add(bytes: Uint8Array, fields: Partial<DatasetFields> = {}) {
  for (const name of Object.keys(reserved)) delete reserved[name];
  const path = join(directory, 'upload');
  writeFileSync(path, bytes);
  const { dataset } = await service.add(
    [{ part: 'file', path, bytes: bytes.length }],
    { ...datasetFieldsSchema.parse({}), ...fields },
    new AbortController().signal,
  );
  return dataset;
}

const image = (background: string, side: number) =>
  sharp({ create: { width: side, height: side, channels: 3, background } })
    .png()
    .toBuffer();
const [red, dark, blue, light] = await Promise.all(
  ['#c01010', '#202020', '#1010c0', '#d0d0d0'].map((colour) => image(colour, 20)),
);
const folders = zipSync({ 'a/1.png': red!, 'a/2.png': dark!, 'b/1.png': blue!, 'b/2.png': light! });

test('images are looked at only with the memory to decode one', async () => {
  const { imageShape } = await add(folders, { testFraction: 0.5 });
  assert.deepEqual(imageShape, [20, 20, 3]);
  assert.deepEqual(reserved, { measureUpload: 0, chooseShape: 200, checkDataset: 200 });
  assert.equal(memory.used(), 0);
  {
    using _other = memory.reserve(201 * MEBIBYTE, { what: 'Other work' });
    await assert.rejects(add(folders, { testFraction: 0.5 }), failure('overloaded', 'about 201 MiB'));
    assert.deepEqual(reserved, { measureUpload: 201 });
  }
});

test('a requested shape and arrays are not looked at', async () => {
  const requested = await add(folders, { testFraction: 0.5, imageShape: [28, 28] });
  assert.deepEqual(requested.imageShape, [28, 28]);
  assert.deepEqual(reserved, { measureUpload: 0, checkDataset: 200 });
  const arrays = await add(npz(small()));
  assert.deepEqual(arrays.imageShape, [28, 28]);
  assert.deepEqual(reserved, { measureUpload: 0, checkDataset: 72 });
});

test('a data set that is built in cannot be deleted, and its precondition is checked first', async () => {
  const { remove } = createUploadedDatasetService({
    datasets: store.datasets,
    catalog: catalogOf(WITHOUT_IMAGES),
    checks,
    maxDatasetBytes: 2 ** 26,
    maxImagePixels: 2 ** 24,
    memory,
  });
  await assert.rejects(
    remove('fashion-mnist'),
    failure('dataset-in-use', 'Data set fashion-mnist is built in and cannot be deleted.'),
  );
  const changed = new Error('It has changed.');
  const precondition = () => {
    throw changed;
  };
  await assert.rejects(remove('fashion-mnist', precondition), changed);
  await assert.rejects(
    remove('gone', precondition),
    failure('dataset-not-found', 'Data set gone does not exist; existing data sets: fashion-mnist.'),
  );
});
