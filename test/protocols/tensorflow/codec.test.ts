import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tensorflowCodec } from '../../../src/protocols/tensorflow/codec.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { MODEL } from '../fixtures.ts';

const decode = (request: object, fit?: 'contain') =>
  tensorflowCodec.decode({ bytes: Buffer.from(JSON.stringify(request)), fit }, MODEL);
const IMAGE = [0, 1, 2, 255];
const batch = { count: 1, pixels: Uint8Array.from(IMAGE) };

test('instances are images by row, and inputs one tensor', () => {
  const request = { signature_name: 'serving_default', instances: [IMAGE] };
  assert.deepEqual(decode(request), { batch, responseFormat: 'row' });
  assert.deepEqual(decode({ inputs: IMAGE }), { batch, responseFormat: 'column' });
  assert.deepEqual(decode({ inputs: [IMAGE, IMAGE] }), {
    batch: { count: 2, pixels: Uint8Array.from([...IMAGE, ...IMAGE]) },
    responseFormat: 'column',
  });
  const encoded = [{ kind: 'encoded', bytes: Buffer.of(1, 2), pointer: '#/inputs' }];
  assert.deepEqual(decode({ inputs: { b64: 'AQI=' } }, 'contain'), { encoded, responseFormat: 'column' });
});

test('a request has either instances or inputs, of the only signature', () => {
  const message = '# must have either instances or inputs.';
  for (const request of [{}, { instances: [IMAGE], inputs: [IMAGE] }])
    assert.throws(() => decode(request), { code: 'invalid-request', message });
  assert.throws(
    () => decode({ signature_name: 'other', instances: [IMAGE] }),
    isAtelierError('invalid-request', /#\/signature_name: Must be serving_default\.$/),
  );
});

test('a response has the form of its request, and never NaN', () => {
  const encode = (format: 'row' | 'column', ...probabilities: number[]) =>
    tensorflowCodec.encode(
      { probabilities: Float32Array.from(probabilities), logits: new Float32Array(4) },
      format,
      MODEL,
    );
  assert.deepEqual(encode('row', 0.25, 0.75, 1, 0), {
    body: '{"predictions":[[0.25,0.75],[1,0]]}',
    jsonBytes: null,
  });
  assert.equal(encode('column', 0.25, 0.75, 1, 0).body, '{"outputs":[[0.25,0.75],[1,0]]}');
  assert.throws(() => encode('row', 0, Number.NaN), isAtelierError('impossible-request'));
});
