import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeExplainRequest } from '../../../src/protocols/kserve-v1/explain.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

const decode = (instances: unknown, fit?: 'contain') =>
  decodeExplainRequest(Buffer.from(JSON.stringify({ instances })), [2, 2], fit);

test('each instance is an image of its own', () => {
  const images = [
    [0, 1, 2, 255],
    [4, 5, 6, 7],
  ];
  assert.deepEqual(
    decode(images),
    images.map((pixels) => ({ kind: 'batch', count: 1, pixels: Uint8Array.from(pixels) })),
  );
});

test('encoded images are not decoded here', () => {
  const bytes = Buffer.of(1, 2);
  assert.deepEqual(decode([{ b64: 'AQI=' }], 'contain'), [
    { kind: 'encoded', bytes, pointer: '#/instances/0' },
  ]);
});

test('a request explains at most 16 images', () => {
  const image = [0, 1, 2, 255];
  assert.equal(decode(new Array(16).fill(image)).length, 16);
  const message = '#/instances holds 17 images; the limit of an explanation is 16. Send fewer per request.';
  assert.throws(() => decode(new Array(17).fill(image)), { code: 'invalid-request', message });
});

test('instances are required, as an array', () => {
  assert.throws(() => decode(undefined), isAtelierError('invalid-request', /#\/instances: Is required\.$/));
  for (const instances of [{ length: 17 }, []])
    assert.throws(
      () => decode(instances),
      isAtelierError('invalid-request', /#\/instances must be an array/),
    );
});
