import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DecodedImage } from '../../../src/images/encoded.ts';
import type { EncodedFile, SentImages } from '../../../src/images/sent.ts';
import { createImagePreparer } from '../../../src/services/predictions/prepare-images.ts';

const { signal } = new AbortController();
const preprocessing = { fit: 'cover', background: 'auto', invert: 'never' } as const;

/** A preparer whose decoder numbers the files, and what it has read in a thread. */
function setUp() {
  const decoded: (readonly EncodedFile[])[] = [];
  const tasks: unknown[] = [];
  const pool = {
    async run(...task: unknown[]) {
      tasks.push(task);
      return [{ kind: 'encoded', bytes: new Uint8Array(1) }];
    },
  };
  const prepare = createImagePreparer(
    pool as unknown as Parameters<typeof createImagePreparer>[0],
    async (files, options, shape) => {
      assert.deepEqual([options, shape], [preprocessing, [28, 28]]);
      decoded.push(files);
      return files.map((_, n) => ({
        batch: { pixels: n },
        corrected: [`of ${n}`],
      })) as unknown as DecodedImage[];
    },
  );
  return {
    decoded,
    tasks,
    prepare: (images: SentImages) => prepare(images, preprocessing, [28, 28], () => signal),
  };
}

test('images as numbers are returned as they are', async () => {
  const { prepare, decoded } = setUp();
  const images: SentImages = { kind: 'bytes', bytes: new Uint8Array(784) };
  assert.equal(await prepare(images), images);
  assert.deepEqual(await prepare({ kind: 'parts', parts: [images], names: ['a'] }), {
    kind: 'many',
    names: ['a'],
    parts: [images],
  });
  assert.deepEqual(decoded, []);
});

test('encoded images are decoded together, and stay in their places among the others', async () => {
  const { prepare, decoded } = setUp();
  const numbers = { kind: 'bytes', bytes: new Uint8Array(784) } as const;
  const encoded = [1, 2].map((n) => ({ kind: 'encoded', bytes: new Uint8Array(n) }) as const);
  const prepared = await prepare({
    kind: 'parts',
    parts: [encoded[0]!, numbers, encoded[1]!],
    names: ['a', 'b', 'c'],
  });
  assert.deepEqual(decoded, [encoded]);
  assert.deepEqual(prepared, {
    kind: 'many',
    names: ['a', 'b', 'c'],
    parts: [
      { kind: 'batch', pixels: 0, corrected: ['of 0'] },
      numbers,
      { kind: 'batch', pixels: 1, corrected: ['of 1'] },
    ],
  });
});

test('JSON of more than 256 KiB is read in a thread', async () => {
  const { prepare, tasks, decoded } = setUp();
  const body = (length: number): SentImages => ({
    kind: 'encoded-json',
    bytes: Buffer.from('{"image":{"b64":"AAAA"}}'.padEnd(length)),
  });
  const small = await prepare(body(262_144));
  assert.deepEqual([small.kind, tasks.length, decoded[0]![0]!.bytes.length], ['many', 0, 3]);
  const large = body(262_145) as Extract<SentImages, { kind: 'encoded-json' }>;
  const read = await prepare(large);
  assert.deepEqual(tasks, [['readEncoded', { bytes: large.bytes }, signal, [large.bytes]]]);
  assert.deepEqual(read, {
    kind: 'many',
    names: null,
    parts: [{ kind: 'batch', pixels: 0, corrected: ['of 0'] }],
  });
});
