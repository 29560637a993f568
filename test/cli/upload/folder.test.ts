import assert from 'node:assert/strict';
import { link, mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { UsageError } from '../../../cli/errors.ts';
import { listFolder, packFolder } from '../../../cli/upload/folder.ts';
import { readTar } from '../../../src/formats/archives/tar.ts';
import { temporaryDirectory } from '../../support/start-service.ts';

async function makeFolder(t: TestContext, files: Record<string, string>): Promise<string> {
  const folder = await temporaryDirectory(t);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

async function unpack(folder: string): Promise<[name: string, text: string][]> {
  const entries: [string, string][] = [];
  const reject = (reason: string): never => assert.fail(reason);
  for await (const { name, kind, read } of readTar(
    packFolder(await listFolder(folder), () => {}),
    reject,
  )) {
    assert.equal(kind, 'file', name);
    entries.push([name, Buffer.from(await read()).toString()]);
  }
  return entries;
}

test('packs the files of a folder in the order of their names, long and foreign names too', async (t) => {
  const long = `${'ä'.repeat(60)}/${'b'.repeat(200)}.png`;
  const folder = await makeFolder(t, { 'cat/2.png': 'two', 'cat/1.png': 'x'.repeat(100_000), [long]: '' });
  // Every name of a file with several names is packed with the content.
  await link(join(folder, 'cat/2.png'), join(folder, 'cat/3.png'));
  assert.deepEqual(await unpack(folder), [
    ['cat/1.png', 'x'.repeat(100_000)],
    ['cat/2.png', 'two'],
    ['cat/3.png', 'two'],
    [long, ''],
  ]);
});

test('leaves out hidden files and links, and counts them', async (t) => {
  const folder = await makeFolder(t, { 'cat/1.png': 'one', '.git/a/b': '', 'cat/.DS_Store': '' });
  await symlink('1.png', join(folder, 'cat/link.png'));
  await symlink('..', join(folder, 'cat/loop'));
  const { files, leftOut } = await listFolder(folder);
  assert.deepEqual(files, [{ path: join(folder, 'cat/1.png'), name: 'cat/1.png', bytes: 3 }]);
  assert.deepEqual(leftOut, { hidden: 2, links: 2 });
  assert.deepEqual(await unpack(folder), [['cat/1.png', 'one']]);
});

test('gives the same bytes again, although the times of the files differ', async (t) => {
  const pack = async (folder: string) =>
    Buffer.concat(await packFolder(await listFolder(folder), () => {}).toArray());
  const [first, second] = [await makeFolder(t, { 'a/1': 'x' }), await makeFolder(t, { 'a/1': 'x' })];
  assert.deepEqual(await pack(first), await pack(second));
});

test('rejects a folder without files, and a file that has changed since', async (t) => {
  const folder = await makeFolder(t, { 'cat/1.png': 'one' });
  const listed = await listFolder(folder);
  await truncate(join(folder, 'cat/1.png'), 1);
  await assert.rejects(packFolder(listed, () => {}).toArray(), /cat\/1\.png/);
  await assert.rejects(listFolder(await makeFolder(t, { '.hidden': '' })), UsageError);
  const missing = join(folder, 'dog');
  await assert.rejects(listFolder(missing), {
    constructor: UsageError,
    message: `The file ${missing} does not exist.`,
  });
});
