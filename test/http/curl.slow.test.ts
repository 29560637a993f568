/** The installed curl: resumed downloads, rejected headers, and compressed responses. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { startService, temporaryDirectory, tiny, train } from '../support/start-service.ts';

const file = { after };
const run = promisify(execFile);
const { app } = await startService(file, { MAX_BODY_BYTES: String(8 * 2 ** 20) });
await app.listen({ port: 0, host: '127.0.0.1' });
await train(app, tiny({ network: { hidden: [512] } }));
const directory = await temporaryDirectory(file);
const base = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
const curl = async (...options: string[]) =>
  (await run('curl', ['-sS', '--max-time', '60', ...options])).stdout;

test('curl -C - resumes an export', async () => {
  const url = `${base}/v1/models/fashion-mnist/versions/1/export?format=safetensors`;
  const [whole, part] = [join(directory, 'whole'), join(directory, 'part')];
  await curl('-o', whole, url);
  const bytes = await readFile(whole);
  await writeFile(part, bytes.subarray(0, 1_000_000));
  const format = '%{http_code} %{size_download}';
  assert.equal(await curl('-C', '-', '-o', part, '-w', format, url), `206 ${bytes.length - 1_000_000}`);
  assert.deepEqual(await readFile(part), bytes);
  // curl takes the 416 of a complete file for success.
  await curl('-C', '-', '-o', part, url);
  assert.deepEqual(await readFile(part), bytes);
});

test('curl --compressed inflates what it downloads', async () => {
  const url = `${base}/openapi.json`;
  const format = '%{size_download} %header{content-encoding}';
  const [whole, inflated] = [join(directory, 'whole.json'), join(directory, 'inflated.json')];
  assert.match(await curl('-o', whole, '-w', format, url), /^\d+ $/);
  const [size, encoding] = (await curl('--compressed', '-o', inflated, '-w', format, url)).split(' ');
  const bytes = await readFile(whole);
  assert.equal(encoding, 'gzip');
  assert.ok(Number(size) < bytes.length / 5);
  assert.deepEqual(await readFile(inflated), bytes);
});

test('curl does not send a body that is too large, of a wrong type, or for an unknown route', async () => {
  const path = join(directory, 'body');
  await writeFile(path, Buffer.alloc(80 * 2 ** 20));
  const send = async (target: string, type: string) => {
    const format = '%{http_code} %{size_upload}';
    const options = [
      '-X',
      'POST',
      '-T',
      path,
      '-H',
      `content-type: ${type}`,
      '-o',
      '/dev/null',
      '-w',
      format,
    ];
    return curl(...options, base + target);
  };
  const predict = '/v1/models/fashion-mnist/predictions';
  assert.equal(await send(predict, 'application/octet-stream'), '413 0');
  assert.equal(await send(predict, 'image/gif'), '415 0');
  assert.equal(await send('/v1/nothing', 'image/png'), '404 0');
});
