import assert from 'node:assert/strict';
import { mkdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { storageFull } from '../../../src/store/blobs/directory.ts';
import { openSpaceReserve, RESERVE_BYTES } from '../../../src/store/sqlite/space-reserve.ts';
import { failure, temporaryDirectory } from '../fixtures.ts';

/** Bytes of disk blocks that the reserve occupies. */
const occupied = (file: string) =>
  stat(file).then(
    ({ blocks }) => blocks * 512,
    () => 0,
  );

test('holds real blocks, releases them for one more attempt on a full disk, and takes them back', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'reserve');
  const reserve = await openSpaceReserve(directory);
  t.after(reserve.close);
  assert.ok((await occupied(file)) >= RESERVE_BYTES);
  const seen: number[] = [];
  const result = await reserve.withReserve(async () => {
    seen.push(await occupied(file));
    if (seen.length === 1) throw storageFull('the change', null);
    return 'deleted';
  });
  assert.equal(result, 'deleted');
  assert.ok(seen[0]! >= RESERVE_BYTES);
  assert.equal(seen[1], 0);
  assert.ok((await occupied(file)) >= RESERVE_BYTES);
});

test('two operations on a full disk use the reserve one after the other', async (t) => {
  const directory = await temporaryDirectory(t);
  const reserve = await openSpaceReserve(directory);
  t.after(reserve.close);
  let running = 0;
  async function remove(): Promise<void> {
    if ((await occupied(join(directory, 'reserve'))) > 0) throw storageFull('the change', null);
    assert.equal(++running, 1);
    await setTimeout(1);
    running -= 1;
  }
  await Promise.all([reserve.withReserve(remove), reserve.withReserve(remove)]);
});

test('rethrows other errors at once, and a second full disk', async (t) => {
  const reserve = await openSpaceReserve(await temporaryDirectory(t));
  t.after(reserve.close);
  for (const [thrown, attempts] of [
    [new Error('a defect'), 1],
    [storageFull('the change', null), 2],
  ] as const) {
    let calls = 0;
    const work = async () => {
      calls += 1;
      throw thrown;
    };
    await assert.rejects(reserve.withReserve(work), thrown);
    assert.equal(calls, attempts);
  }
  await assert.rejects(
    reserve.withReserve(async () => {
      throw storageFull('the change', null);
    }),
    failure('storage-full'),
  );
});

test('a reserve that does not fit is enlarged later', async (t) => {
  const directory = join(await temporaryDirectory(t), 'state');
  const file = join(directory, 'reserve');
  // Without its directory, the file cannot be written.
  const reserve = await openSpaceReserve(directory, 1);
  t.after(reserve.close);
  await mkdir(directory);
  while ((await occupied(file)) < RESERVE_BYTES) await setTimeout(1);
  await truncate(file, 100);
  await reserve.close();
  const reopened = await openSpaceReserve(directory);
  assert.ok((await occupied(file)) >= RESERVE_BYTES);
  await reopened.close();
});
