/** scripts/data.ts as a child process on real files, without a network. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type DataFile, FILES, idxHeader, readOriginal } from '../../scripts/data/files.ts';
import { fill } from '../../scripts/data/fill.ts';
import { inspect } from '../../scripts/data/inspect.ts';
import { downloadSource, folderSource } from '../../scripts/data/sources.ts';
import { npyBytes, parseNpy } from '../../src/formats/arrays/npy.ts';
import { temporaryFolder } from '../datasets/fixtures.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS] = FILES as [
  DataFile,
  DataFile,
  DataFile,
  DataFile,
];
const here = (file: DataFile) => join(ROOT, 'data', file.npy);
const filled = (await inspect(join(ROOT, 'data'))).every(({ defect }) => defect === undefined);
/** Options of tests that need the original files of Fashion-MNIST. */
const withData = { skip: filled ? false : 'data/ is not filled: npm run data' };

async function runScript(folder: string, variables: NodeJS.ProcessEnv = {}) {
  const env = { ...process.env, DATA_DIR: folder, ...variables };
  const child = spawn(process.execPath, [join(ROOT, 'scripts/data.ts')], { env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const [exitCode] = await once(child, 'close');
  return { exitCode, output: output };
}

/** A folder with the official files, hard-linked where possible. */
async function officialFolder(context: TestContext, files = FILES): Promise<string> {
  const folder = temporaryFolder(context);
  for (const file of files)
    await link(here(file), join(folder, file.npy)).catch(() => copyFile(here(file), join(folder, file.npy)));
  return folder;
}

/** The original gzip file, reconstructed from the array. */
async function originalOf(file: DataFile): Promise<Buffer> {
  const { data } = parseNpy(await readFile(here(file)));
  return gzipSync(Buffer.concat([idxHeader(file), data as Uint8Array]), { level: 1 });
}

const dots = async (folder: string) => (await readdir(folder)).filter((name) => name.startsWith('.'));

test('keeps four complete files, even custom ones', async (t) => {
  const folder = temporaryFolder(t);
  for (const { npy } of FILES) await writeFile(join(folder, npy), npyBytes(new Float32Array([1, 2]), [2]));
  const before = await Promise.all(FILES.map(({ npy }) => stat(join(folder, npy))));
  const { exitCode, output } = await runScript(folder);
  assert.equal(exitCode, 0);
  assert.equal(output.trim().split('\n').length, 1);
  assert.match(
    output,
    /are there\. Not Fashion-MNIST's original bytes, and kept: fashion_mnist_train_images\.npy, /,
  );
  const after = await Promise.all(FILES.map(({ npy }) => stat(join(folder, npy))));
  assert.deepEqual(
    after.map(({ mtimeMs, ino }) => [mtimeMs, ino]),
    before.map(({ mtimeMs, ino }) => [mtimeMs, ino]),
  );
  const beforeStart = await runScript(folder, { npm_lifecycle_event: 'prestart' });
  assert.match(beforeStart.output, /are there\.$/m, 'a start does not wait until all bytes are read');
});

test('replaces damaged and missing files if the others are Fashion-MNIST’s', withData, async (t) => {
  const folder = await officialFolder(t, [TRAIN_IMAGES, TEST_IMAGES]);
  await copyFile(here(TRAIN_LABELS), join(folder, TRAIN_LABELS.npy));
  await truncate(join(folder, TRAIN_LABELS.npy), 5000);
  for (const file of [TRAIN_LABELS, TEST_LABELS])
    await writeFile(join(folder, `${file.idx}.gz`), await originalOf(file));
  const abandoned = join(folder, '.fashion_mnist_test_labels.0.partial.npy');
  await writeFile(abandoned, 'of a killed process');
  await utimes(abandoned, 0, 0);

  const { exitCode, output } = await runScript(folder);
  assert.equal(exitCode, 0, output);
  assert.match(output, /train_labels.npy: damaged .*takes 60000 bytes of data/);
  assert.match(output, /test_labels.npy: missing/);
  for (const file of [TRAIN_LABELS, TEST_LABELS]) {
    assert.deepEqual(parseNpy(await readFile(join(folder, file.npy))), parseNpy(await readFile(here(file))));
  }
  assert.deepEqual(await dots(folder), []);
  assert.equal((await runScript(folder)).output.trim().split('\n').length, 1);
});

test('reports a missing file beside custom ones, and writes nothing', withData, async (t) => {
  const folder = await officialFolder(t, [TRAIN_IMAGES, TEST_IMAGES]);
  const own = npyBytes(new Uint8Array(60_000), [60_000]);
  await writeFile(join(folder, TRAIN_LABELS.npy), own);
  const before = await readdir(folder);
  const { exitCode, output } = await runScript(folder);
  assert.equal(exitCode, 1);
  assert.match(output, /train_labels\.npy is not Fashion-MNIST's own/);
  assert.match(output, /test_labels\.npy \(missing\)/);
  assert.match(output, /move .*train_labels\.npy away/);
  assert.deepEqual(await readdir(folder), before);
  assert.deepEqual(await readFile(join(folder, TRAIN_LABELS.npy)), Buffer.from(own));
});

test('rejects arguments', async (t) => {
  const folder = temporaryFolder(t);
  const script = join(ROOT, 'scripts/data.ts');
  const env = { ...process.env, DATA_DIR: folder };
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'now'], { env, encoding: 'utf8' });
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /^Usage: npx atelier data, /);
  assert.deepEqual(await readdir(folder), []);
});

test('reports a folder and a named pipe in place of a file', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, TRAIN_IMAGES.npy);
  for (const create of [() => mkdir(path), () => execFileSync('mkfifo', [path])]) {
    await rm(path, { recursive: true, force: true });
    await create();
    const { exitCode, output } = await runScript(folder);
    assert.equal(exitCode, 1);
    assert.match(output, /train_images\.npy cannot be read: it is not a regular file/);
  }
});

test('rejects a changed original, compressed or not', withData, async () => {
  const original = await originalOf(TEST_LABELS);
  assert.equal((await readOriginal(TEST_LABELS, original)).length, 10_000);
  const changed = Buffer.concat([idxHeader(TEST_LABELS), new Uint8Array(10_000)]);
  for (const bytes of [changed, gzipSync(changed), changed.subarray(1)]) {
    await assert.rejects(readOriginal(TEST_LABELS, bytes), /is not the original: its SHA-256/);
  }
  await assert.rejects(readOriginal(TEST_LABELS, original.subarray(0, 1000)), /cannot be decompressed/);
  await assert.rejects(
    readOriginal(TEST_LABELS, gzipSync(new Uint8Array(10 ** 7))),
    /cannot be decompressed/,
  );
});

test('tries sources in order, and verifies downloads like the others', withData, async (t) => {
  const folder = await officialFolder(t, [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES]);
  const original = await originalOf(TEST_LABELS);
  const server = createServer(({ url }, response) => {
    if (url === `/good/${TEST_LABELS.idx}.gz`) response.end(original);
    else if (url?.startsWith('/bad/')) response.end(gzipSync('another file'));
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sources = ['none', 'bad', 'good'].map((path) => downloadSource(`${base}/${path}/`));
  const { signal } = new AbortController();
  const say = () => undefined;

  await assert.rejects(
    fill(folder, await inspect(folder), sources.slice(0, 2), say, signal),
    /answered 404.*not the original/s,
  );
  assert.equal((await readdir(folder)).length, 3);
  await fill(folder, await inspect(folder), sources, say, signal);
  assert.deepEqual(
    parseNpy(await readFile(join(folder, TEST_LABELS.npy))),
    parseNpy(await readFile(here(TEST_LABELS))),
  );
});

test('if all sources fail, reports each attempt, its error, and what to do', async (t) => {
  const folder = temporaryFolder(t);
  const sources = [folderSource('a folder', join(folder, 'none')), downloadSource('http://127.0.0.1:1/')];
  await assert.rejects(
    fill(folder, await inspect(folder), sources, () => undefined, new AbortController().signal),
    (error: Error) => {
      assert.match(error.message, /- a folder: .* has no readable train-images-idx3-ubyte\.gz/);
      assert.match(error.message, /- the official download, .*cannot be reached: /);
      assert.match(error.message, /apt-get install dataset-fashion-mnist/);
      assert.match(error.message, /copy the \.npy files to/);
      return true;
    },
  );
  assert.deepEqual(await readdir(folder), []);
});

test('an interruption leaves no partial file', withData, async (t) => {
  const folder = await officialFolder(t, [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES]);
  const originals = temporaryFolder(t);
  await writeFile(join(originals, `${TEST_LABELS.idx}.gz`), await originalOf(TEST_LABELS));
  const interruption = AbortSignal.abort(new Error('Interrupted'));
  const filling = fill(
    folder,
    await inspect(folder),
    [folderSource('a folder', originals)],
    () => undefined,
    interruption,
  );
  await assert.rejects(filling, /Interrupted/);
  assert.equal((await readdir(folder)).length, 3);
});
