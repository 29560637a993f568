import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import sharp from 'sharp';
import { preprocessingFor } from '../../../src/domain/predictions/preprocessing.ts';
import type { EncodedFile } from '../../../src/images/sent.ts';
import { MAX_WAITING } from '../../../src/images/slots.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../../src/numerics/network/image-shape.ts';
import { createMemoryLedger, MEBIBYTE } from '../../../src/services/memory/ledger.ts';
import { createImageDecoder } from '../../../src/services/predictions/image-decoder.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

const memory = createMemoryLedger({ limit: MEBIBYTE, base: 0 });
const decodeFiles = createImageDecoder(memory, 4096 * 4096);
const { signal: never } = new AbortController();
const decode = (files: readonly EncodedFile[], signal = never, fit: 'contain' | undefined = 'contain') =>
  decodeFiles(files, preprocessingFor(null, fit), DEFAULT_IMAGE_SHAPE, () => signal);

const webp = async (side: number): Promise<EncodedFile> => ({
  bytes: await sharp({ create: { width: side, height: side, channels: 3, background: 'teal' } })
    .webp({ lossless: true, effort: 0 })
    .toBuffer(),
});
const [small, medium, large] = await Promise.all([webp(28), webp(700), webp(2048)]);

test('a small image and a file do not wait for large images', async () => {
  const pending = new Set(Array.from({ length: 12 }, () => decode([large])));
  for (const work of pending) void work.then(() => pending.delete(work));
  const waiting = [...pending];
  await decode([small], never, undefined);
  await readFile(import.meta.filename);
  assert.ok(pending.size > 6, `${pending.size} of 12 large images are not decoded yet`);
  await Promise.all(waiting);
});

test('rejects further large images when the limit of waiting requests is reached', async () => {
  const all = await Promise.allSettled(Array.from({ length: 2 * MAX_WAITING.large }, () => decode([medium])));
  const rejected = all.filter((result) => result.status === 'rejected');
  assert.ok(rejected.length > 0 && rejected.length < MAX_WAITING.large, `${rejected.length} rejected`);
  for (const { reason } of rejected)
    assert.ok(isAtelierError('overloaded', /^64 requests are already waiting/)(reason));
});

test('an aborted request leaves the queue while another one is decoded', async () => {
  let isDecoded = false;
  const running = decode([large, large]).then(() => {
    isDecoded = true;
  });
  const controller = new AbortController();
  const waiting = decode([large], controller.signal);
  controller.abort(new Error('left'));
  await assert.rejects(waiting, /left/);
  assert.equal(isDecoded, false);
  await running;
});

test('an aborted request stops before its next file', async () => {
  const controller = new AbortController();
  const files = Array.from({ length: 4 }, () => large);
  const decoding = decode(files, controller.signal);
  // Its first large image is being decoded when a later request has read its header and is waiting.
  const next = decode([large]);
  controller.abort(new Error('left'));
  await assert.rejects(decoding, /left/);
  await next;
});

test('decodes several files in order, and names the file that fails', async () => {
  const greys = [10, 200].map((grey) => ({
    create: { width: 28, height: 28, channels: 3 as const, background: { r: grey, g: grey, b: grey } },
  }));
  const files = await Promise.all(
    greys.map(async (options, n) => ({ name: `${n}.png`, bytes: await sharp(options).png().toBuffer() })),
  );
  const decoded = await decode([files[0]!, { ...large, name: 'large' }, files[1]!]);
  assert.deepEqual(
    decoded.map(({ batch, corrected }) => [batch.pixels[400], corrected.length]),
    [
      [10, 0],
      [Math.round(0.587 * 128 + 0.114 * 128), 1],
      [200, 0],
    ],
  );
  await assert.rejects(
    decode([files[0]!, { bytes: Buffer.from('none'), name: 'none.png' }]),
    isAtelierError('undecodable-image', /^File none\.png: /),
  );
});

test('large images reserve the memory of the decoder while they are decoded', async () => {
  const plain = sharp({ create: { width: 2048, height: 2048, channels: 4, background: 'teal' } });
  const [interlaced, baseline] = await Promise.all([
    plain.clone().png({ progressive: true }).toBuffer(),
    plain.clone().jpeg().toBuffer(),
  ]);
  // An interlaced PNG takes 24 MiB, a JPEG 8 MiB.
  using other = memory.reserve(memory.budget - 14 * MEBIBYTE, { what: 'Other work' });
  await assert.rejects(
    decode([{ bytes: interlaced }]),
    isAtelierError('overloaded', /^Decoding the image takes about 24 MiB/),
  );
  const decoding = decode([{ bytes: baseline }]);
  assert.equal((await decoding).length, 1);
  assert.equal(memory.used(), other.bytes);
});
