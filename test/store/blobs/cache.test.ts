import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openFileCache } from '../../../src/store/blobs/cache.ts';
import { temporaryDirectory } from '../fixtures.ts';

class Damaged extends Error {}

/** Ten bytes with a digest. */
function content(n: number) {
  const bytes = Buffer.alloc(10, n);
  const hex = createHash('sha256').update(bytes).digest('hex');
  return { bytes, hex, digest: `sha256:${hex}` };
}

const contents = Array.from({ length: 5 }, (_, n) => content(n));

async function fixture(t: TestContext, maxBytes = 30) {
  const directory = join(await temporaryDirectory(t), 'cache');
  const fetched: number[] = [];
  const open = () =>
    openFileCache({
      directory,
      maxBytes,
      isDamaged: (error) => error instanceof Damaged,
      async copyTo(digest, path) {
        const n = contents.findIndex((each) => each.digest === digest);
        fetched.push(n);
        await writeFile(path, contents[n]!.bytes);
      },
    });
  const cached = async () => {
    const names = await readdir(directory);
    return names.map((name) => contents.findIndex(({ hex }) => hex === name)).toSorted();
  };
  return { directory, fetched, open, cached, cache: await open() };
}

/** Reads the file as the loading of a data set does. */
async function read(path: string): Promise<number> {
  const bytes = await readFile(path).catch((cause) => {
    throw new Damaged('gone', { cause });
  });
  if (bytes.length !== 10) throw new Damaged('short');
  return bytes[0]!;
}

test('concurrent users share one fetch, and later ones find the file', async (t) => {
  const { cache, fetched } = await fixture(t);
  const found = await Promise.all(Array.from({ length: 5 }, () => cache.withFile(contents[1]!.digest, read)));
  assert.deepEqual(found, [1, 1, 1, 1, 1]);
  await cache.withFile(contents[1]!.digest, read);
  assert.deepEqual(fetched, [1]);
});

test('evicts the least recently used files, except files in use', async (t) => {
  const { cache, fetched, cached } = await fixture(t);
  for (const n of [0, 1, 2, 0]) await cache.withFile(contents[n]!.digest, read);
  await cache.withFile(contents[1]!.digest, async () => {
    await cache.withFile(contents[3]!.digest, read);
    assert.deepEqual(await cached(), [0, 1, 3]);
    await cache.withFile(contents[4]!.digest, read);
    assert.deepEqual(await cached(), [1, 3, 4]);
    await cache.withFile(contents[3]!.digest, () =>
      cache.withFile(contents[4]!.digest, () => cache.withFile(contents[0]!.digest, read)),
    );
  });
  assert.deepEqual(await cached(), [1, 3, 4]);
  assert.deepEqual(fetched, [0, 1, 2, 3, 4, 0]);
});

test('files survive a restart in their order of use, but temporary ones do not', async (t) => {
  const { cache, directory, fetched, open, cached } = await fixture(t);
  for (const n of [0, 1, 2, 0]) await cache.withFile(contents[n]!.digest, read);
  await writeFile(cache.newFile(), 'half');
  await writeFile(join(directory, 'README'), 'kept');
  const second = await open();
  await second.withFile(contents[3]!.digest, read);
  await rm(join(directory, 'README'));
  assert.deepEqual(await cached(), [0, 2, 3]);
  assert.deepEqual(fetched, [0, 1, 2, 3]);
});

test('a damaged or missing file is fetched again, once', async (t) => {
  const { cache, directory, fetched } = await fixture(t);
  const { digest, hex } = contents[1]!;
  await cache.withFile(digest, read);
  await truncate(join(directory, hex), 3);
  assert.deepEqual(await Promise.all([cache.withFile(digest, read), cache.withFile(digest, read)]), [1, 1]);
  await rm(join(directory, hex));
  assert.equal(await cache.withFile(digest, read), 1);
  assert.deepEqual(fetched, [1, 1, 1]);
  let calls = 0;
  const fails = async () => {
    calls++;
    throw new Damaged('always');
  };
  await assert.rejects(cache.withFile(digest, fails), Damaged);
  assert.equal(calls, 2);
});

test('a failed fetch leaves nothing and is tried again by the next user', async (t) => {
  const directory = await temporaryDirectory(t);
  let failures = 1;
  const cache = await openFileCache({
    directory,
    maxBytes: 30,
    isDamaged: () => false,
    async copyTo(_digest, path) {
      await writeFile(path, contents[0]!.bytes);
      if (failures-- > 0) throw new Error('lost');
    },
  });
  await assert.rejects(cache.withFile(contents[0]!.digest, read), /lost/);
  assert.deepEqual(await readdir(directory), []);
  assert.equal(await cache.withFile(contents[0]!.digest, read), 0);
});

test('an added file needs no fetch, and replaces a damaged one', async (t) => {
  const { cache, directory, fetched, cached } = await fixture(t);
  const { bytes, digest, hex } = contents[2]!;
  for (let round = 0; round < 2; round++) {
    const file = cache.newFile();
    await writeFile(file, bytes);
    await cache.add(digest, file);
    assert.equal(await cache.withFile(digest, read), 2);
    await truncate(join(directory, hex), 1);
  }
  assert.deepEqual([await cached(), fetched], [[2], []]);
});
