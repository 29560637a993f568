import assert from 'node:assert/strict';
import files, { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createStateSizes, type ReadStateSizes } from '../../../src/store/blobs/sizes.ts';
import { applyMocks } from '../../support/mocked-builtins.ts';
import { temporaryDirectory } from '../fixtures.ts';

test('sums the files of a state directory by kind, and measures again after the interval only', async (t) => {
  const directory = await temporaryDirectory(t);
  const put = async (path: string, bytes: number) => {
    await mkdir(join(directory, path, '..'), { recursive: true });
    await writeFile(join(directory, path), new Uint8Array(bytes));
  };
  await put('atelier.sqlite', 1000);
  await put('atelier.sqlite-wal', 200);
  await put('before-0022.sqlite', 3000);
  await put('blobs/a', 30);
  await put('blobs/b', 4);
  await put('datasets/dst_1/images', 50);
  await put('datasets/dst_2/images', 60);
  await put('predictions/e', 5);
  await put('lost+found/blobs/c', 7);
  const nothing = { bytes: 0, count: 0 };
  const expected = {
    database: { bytes: 4200, count: 3 },
    models: { bytes: 34, count: 2 },
    checkpoints: nothing,
    datasets: { bytes: 110, count: 2 },
    predictions: { bytes: 5, count: 1 },
    reserve: nothing,
    cache: nothing,
    temporary: nothing,
    other: { bytes: 7, count: 1 },
  };
  const [seldom, always] = [1e9, -1].map((interval) => {
    const read = createStateSizes(directory, interval);
    return () => read(60_000);
  }) as [ReadStateSizes, ReadStateSizes];
  const { free, capacity, used } = await seldom();
  assert.deepEqual(used, expected);
  assert.ok(free > 0 && free < capacity);
  const { bsize, blocks } = await statfs(directory);
  assert.equal(capacity, bsize * blocks);

  await put('checkpoints/d', 9);
  assert.deepEqual((await seldom()).used, expected);
  assert.deepEqual((await always()).used, { ...expected, checkpoints: { bytes: 9, count: 1 } });
  await rm(directory, { recursive: true });
  await assert.rejects(always());
});

test('a file that is removed while files are measured has no size, and one that cannot be read hides no free space', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'reserve'), new Uint8Array(70));
  let code = 'ENOENT';
  t.mock.method(files, 'lstat', async () => {
    throw Object.assign(new Error('as the disk says'), { code });
  });
  t.mock.method(files, 'statfs', async () => ({ bsize: 512, bavail: 30, blocks: 400 }));
  applyMocks(t);
  const read = () => createStateSizes(directory)(60_000);
  const before = new Date();
  const { used, measuredAt } = await read();
  assert.deepEqual(used?.reserve, { bytes: 0, count: 0 });
  assert.ok(measuredAt && measuredAt >= before);
  code = 'EIO';
  assert.deepEqual(await read(), { free: 15_360, capacity: 204_800, used: null, measuredAt: null });
});
