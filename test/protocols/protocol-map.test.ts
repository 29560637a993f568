import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kserveV2Codec } from '../../src/protocols/kserve-v2/codec.ts';
import { mlflowCodec } from '../../src/protocols/mlflow/codec.ts';
import { nativeCodec } from '../../src/protocols/native/codec.ts';
import { codecFor, requestBuffers } from '../../src/protocols/protocol-map.ts';
import { tensorflowCodec } from '../../src/protocols/tensorflow/codec.ts';

test('each protocol has its codec', () => {
  const codecs = (['native', 'kserve-v2', 'tensorflow', 'mlflow'] as const).map((protocol) =>
    codecFor({ protocol }),
  );
  assert.deepEqual(codecs, [nativeCodec, kserveV2Codec, tensorflowCodec, mlflowCodec]);
});

test('the buffers of a request are its body, its files or its decoded pixels', () => {
  const [first, second] = [Uint8Array.of(1), Uint8Array.of(2)];
  const parts = [
    { kind: 'bytes', bytes: first },
    { kind: 'batch', count: 1, pixels: second },
  ] as const;
  const native = {
    protocol: 'native',
    images: { kind: 'many', parts, names: null },
    options: { logits: false },
    format: 'json',
    imageStatistics: null,
    guarantee: null,
  } as const;
  assert.deepEqual(requestBuffers(native), [first, second]);
  assert.deepEqual(requestBuffers({ protocol: 'tensorflow', bytes: first }), [first]);
  const decoded = { batch: { count: 1, pixels: second }, responseFormat: null };
  assert.deepEqual(requestBuffers({ protocol: 'native', decoded }), [second]);
});
