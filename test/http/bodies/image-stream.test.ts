import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FastifyRequest } from 'fastify';
import { npyBytes } from '../../../src/formats/arrays/npy.ts';
import { createOpenStream } from '../../../src/http/bodies/image-stream.ts';
import type { ImageShape } from '../../../src/numerics/network/image-shape.ts';
import type { PredictionStream } from '../../../src/services/predictions/streamed-images.ts';

const IMAGES = 2048;
const BYTES = new Uint8Array(784 * IMAGES).fill(7);
const RAW = 'application/octet-stream';
const NPY = 'application/x-npy';

interface Sent {
  readonly type?: string;
  readonly first?: Uint8Array;
  readonly length?: number;
  readonly params?: object;
  readonly query?: object;
  /** Shape of the images that the model takes. */
  readonly image?: ImageShape;
}

/** Opens a stream for a request, by default of 2048 images as bytes. */
function open({
  type = RAW,
  first = BYTES.subarray(0, 65_536),
  length = BYTES.length,
  image = [28, 28],
  ...sent
}: Sent) {
  const opened: unknown[] = [];
  const written: Uint8Array[] = [];
  const model = { architecture: { inputShape: image } };
  const stream = {
    model,
    write: (pixels: Uint8Array) => written.push(pixels),
  } as unknown as PredictionStream;
  const openStream = createOpenStream({
    stream(model) {
      opened.push(model);
      return model.name === 'unknown' ? undefined : stream;
    },
  });
  const request = { headers: { 'content-type': type }, params: { name: 'a' }, query: {}, ...sent };
  const result = openStream(request as unknown as FastifyRequest, Buffer.from(first), length);
  return { isOpen: result !== undefined, opened, written: Buffer.concat(written) };
}

test('opens a stream for bytes, and passes on the first of them', () => {
  const { isOpen, opened, written } = open({});
  assert.ok(isOpen);
  assert.deepEqual(opened, [{ name: 'a' }]);
  assert.ok(written.equals(BYTES.subarray(0, 65_536)));
  assert.deepEqual(open({ params: { name: 'a', version: '3' } }).opened, [{ name: 'a', version: 3 }]);
  assert.deepEqual(open({ params: { name: 'a', version: 'best' } }).opened, [{ name: 'a', version: 'best' }]);
  const query = { topK: '3', logits: 'true', coverage: '0.9', calibrated: 'true' };
  assert.ok(open({ query }).isOpen);
});

test('opens a stream for npy of bytes, and passes on the first pixels', () => {
  for (const shape of [
    [IMAGES, 784],
    [IMAGES, 28, 28],
    [IMAGES, 28, 28, 1],
  ]) {
    const npy = npyBytes(BYTES, shape);
    const { isOpen, written } = open({ type: NPY, first: npy.subarray(0, 65_536), length: npy.length });
    assert.ok(isOpen);
    assert.ok(written.equals(BYTES.subarray(0, 65_536 - (npy.length - BYTES.length))));
  }
});

test('opens a stream for images of the shape of the model only', () => {
  const image = [16, 49, 3] as const;
  const [count, values] = [1024, 2352];
  const pixels = new Uint8Array(count * values).fill(9);
  const first = pixels.subarray(0, 65_536);
  assert.ok(open({ image, first, length: pixels.length }).isOpen);
  assert.ok(!open({ image, first, length: pixels.length + 784 }).isOpen);
  for (const [shape, isOpen] of [
    [[count, values], true],
    [[count, ...image], true],
    // The channels must be interleaved, and that needs whole images.
    [[count, 3, 16, 49], false],
    [[3 * count, 16, 49], false],
    [[3 * count, 28, 28], false],
  ] as const) {
    const npy = npyBytes(pixels, shape);
    const sent = { type: NPY, first: npy.subarray(0, 65_536), length: npy.length };
    assert.equal(open({ ...sent, image }).isOpen, isOpen, `${shape}`);
  }
});

const npy = npyBytes(BYTES, [IMAGES, 784]);
const wholes: [title: string, sent: Sent][] = [
  ['a small body', { length: 784 * 2040 }],
  ['a partial image', { length: BYTES.length + 1 }],
  ['an option that concerns the pixels', { query: { pixels: '0-255' } }],
  ['an option of another value than is allowed', { query: { coverage: '2' } }],
  ['an unknown option', { query: { top: '3' } }],
  ['another type', { type: 'application/json' }],
  ['an unknown model', { params: { name: 'unknown' } }],
  ['an invalid version', { params: { name: 'a', version: 'not valid' } }],
  ['a checkpoint', { params: { id: 'job', step: '3' } }],
  ['npy of another length than its header states', { type: NPY, first: npy, length: npy.length + 784 }],
  ['npy whose header is not complete', { type: NPY, first: npy.subarray(0, 50), length: npy.length }],
  ['npy of another shape', { type: NPY, first: npyBytes(BYTES, [784, IMAGES]), length: npy.length }],
  [
    'npy of floats',
    { type: NPY, first: npyBytes(new Float32Array(BYTES), [IMAGES, 784]), length: 4 * BYTES.length + 128 },
  ],
];
for (const [title, sent] of wholes) {
  test(`reads as a whole: ${title}`, () => {
    assert.equal(open(sent).isOpen, false);
  });
}
