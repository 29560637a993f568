import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describePredictions, nativeCodec } from '../../../src/protocols/native/codec.ts';

const MODEL = { name: 'm', version: 3 };
const CLASSES = ['shirt', 'shoe', 'bag'];
const describe = (probabilities: number[], options: { topK?: number; logits?: boolean } = {}) =>
  describePredictions(
    MODEL,
    CLASSES,
    {
      probabilities: Float32Array.from(probabilities),
      logits: Float32Array.from(probabilities, Math.log),
    },
    {
      logits: false,
      ...options,
    },
  );

test('each row gives a prediction with the most probable class and all probabilities', () => {
  assert.deepEqual(describe([0.125, 0.625, 0.25, 0.5, 0.25, 0.25]), {
    model: MODEL,
    predictions: [
      { label: 1, className: 'shoe', probability: 0.625, probabilities: [0.125, 0.625, 0.25] },
      { label: 0, className: 'shirt', probability: 0.5, probabilities: [0.5, 0.25, 0.25] },
    ],
  });
});

test('equally probable classes are ordered by label', () => {
  const { predictions } = describe([0.25, 0.375, 0.375], { topK: 3 });
  assert.deepEqual(
    predictions[0]!.top!.map((entry) => entry.label),
    [1, 2, 0],
  );
});

test('topK replaces the probabilities, and above the number of classes lists all', () => {
  const [prediction] = describe([0.125, 0.625, 0.25], { topK: 2 }).predictions;
  assert.equal(prediction!.probabilities, undefined);
  assert.deepEqual(prediction!.top, [
    { label: 1, className: 'shoe', probability: 0.625 },
    { label: 2, className: 'bag', probability: 0.25 },
  ]);
  assert.equal(describe([0.125, 0.625, 0.25], { topK: 100 }).predictions[0]!.top!.length, 3);
});

test('returns logits on request', () => {
  const [prediction] = describe([0.5, 0.25, 0.25], { logits: true }).predictions;
  assert.deepEqual(
    prediction!.logits,
    [0.5, 0.25, 0.25].map((p) => Math.fround(Math.log(p))),
  );
});

test('rejects ?input for more than 1,000 images', () => {
  const bytes = new Uint8Array(1_001 * 784);
  const decode = (input: boolean) =>
    nativeCodec.decode(
      {
        images: { kind: 'bytes', bytes },
        options: { logits: false, input },
        format: 'json',
        imageStatistics: null,
        guarantee: null,
      },
      { reference: MODEL, architecture: { inputShape: [28, 28] }, classNames: CLASSES },
    );
  assert.throws(() => decode(true), { code: 'impossible-request', message: /\?input allows at most 1,000/ });
  decode(false);
});
