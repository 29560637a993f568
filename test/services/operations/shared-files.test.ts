import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { AtelierError } from '../../../src/errors.ts';
import { createSharedFiles } from '../../../src/services/operations/shared-files.ts';
import { openTemporaryFiles } from '../../../src/store/blobs/temporary.ts';
import { temporaryDirectory } from '../../support/start-service.ts';

const never = new AbortController().signal;

async function setUp(t: TestContext, maxBytes = 2 ** 20) {
  const directory = await temporaryDirectory(t);
  const { newFile } = await openTemporaryFiles(directory);
  const open = createSharedFiles(newFile, maxBytes);
  let written = 0;
  const write = async (path: string) => {
    written += 1;
    writeFileSync(path, `content ${written}`);
  };
  return { directory, open, write, written: () => written };
}

test('concurrent and later requests read one file, until the last reader has finished', async (t) => {
  const { directory, open, write } = await setUp(t);
  const [first, second] = await Promise.all([open('a', never, write), open('a', never, write)]);
  assert.equal(first.size, 'content 1'.length);
  const slow = first.read();
  assert.equal(await text(second.read()), 'content 1');
  assert.deepEqual(readdirSync(directory), [], 'the file has no name');
  const third = await open('a', never, write);
  assert.equal(await text(third.read()), 'content 1');
  assert.equal(await text(slow), 'content 1');
  await wait(10);
  assert.equal(await text((await open('a', never, write)).read()), 'content 2');
});

test('a file without a reader is closed, and one that cannot be written is removed', async (t) => {
  const { directory, open, write, written } = await setUp(t);
  await open('unread', never, write);
  await wait(10);
  assert.equal(await text((await open('unread', never, write)).read()), 'content 2');
  const failing = open('a', never, async (path) => {
    writeFileSync(path, 'half');
    throw new Error('failed');
  });
  await assert.rejects(failing, /failed/);
  assert.deepEqual([readdirSync(directory), written()], [[], 2]);
});

test('writes no further file while readers use too many bytes', async (t) => {
  const { open, write } = await setUp(t, 5);
  const stream = (await open('a', never, write)).read();
  await assert.rejects(open('b', never, write), { code: 'overloaded' });
  stream.destroy();
  await wait(10);
  (await open('b', never, write)).read().destroy();
});

test('the start removes files of a killed process, and no others', async (t) => {
  const directory = await temporaryDirectory(t);
  const left = (await openTemporaryFiles(directory)).newFile();
  writeFileSync(left, 'half');
  writeFileSync(join(directory, 'notes.txt'), 'mine');
  await openTemporaryFiles(directory);
  assert.ok(!existsSync(left));
  assert.deepEqual(readdirSync(directory), ['notes.txt']);
});

test('reads ranges, and chunks of a large file, byte for byte', async (t) => {
  const { open } = await setUp(t, 2 ** 20);
  // Two chunks of 128 KiB and a part of a third one.
  const bytes = Buffer.from(Uint8Array.from({ length: 2 * 2 ** 17 + 5 }, (_, n) => (n * 7) % 251));
  const file = await open('large', never, async (path) => writeFileSync(path, bytes));
  const ranges = [undefined, [0, 0], [3, 2 ** 17 - 1], [2 ** 17, 2 ** 17 + 1], [5, 2 ** 18 + 4]] as const;
  const streams = ranges.map((range) => file.read(range && { start: range[0], end: range[1] }));
  const read = await Promise.all(streams.map((stream) => buffer(stream)));
  for (const [n, range] of ranges.entries()) {
    const [start, end] = range ?? [0, bytes.length - 1];
    assert.ok(read[n]!.equals(bytes.subarray(start, end + 1)), `${range}`);
  }
});

test('files may use exactly as many bytes as allowed before a further one is rejected', async (t) => {
  const size = 'content 1'.length;
  for (const [maxBytes, isRejected] of [
    [size, true],
    [size + 1, false],
  ] as const) {
    const { open, write } = await setUp(t, maxBytes);
    const stream = (await open('a', never, write)).read();
    const opening = open('b', never, write);
    if (isRejected) {
      await assert.rejects(opening, (error: AtelierError) => {
        assert.match(
          error.message,
          /^Clients are still reading files of more than 0\.0000\d+ MiB together\./,
        );
        assert.equal(error.code, 'overloaded');
        return error.retryAfterSeconds! >= 1;
      });
    } else (await opening).read().destroy();
    stream.destroy();
  }
});
