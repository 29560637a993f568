import assert from 'node:assert/strict';
import { test } from 'node:test';
import { npyBytes } from '../../../src/formats/arrays/npy.ts';
import type { Outputs } from '../../../src/protocols/codec.ts';
import { nativeCodec } from '../../../src/protocols/native/codec.ts';
import { describePredictions, encodeNpy, writePredictions } from '../../../src/protocols/native/response.ts';

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

const used = { images: 100 } as unknown as NonNullable<Outputs['calibration']>;
const diagnosis = { findings: [], corrected: [] };
const outputs: Outputs = {
  probabilities: Float32Array.of(0.25, 0.75, 0, 0.5, 0.25, 0.25),
  logits: new Float32Array(6),
  calibration: used,
  judgements: {
    sets: Uint8Array.of(1, 1, 0, 1, 0, 0),
    reasons: ['several-classes', null],
    expectedUnsure: 0,
  },
  diagnoses: [diagnosis, { ...diagnosis, corrected: [{ code: 'inverted', detail: '' }] }],
};

test('each prediction has what is known about its own image', () => {
  const inputRows = (image: number) => [[2 * image + 1, 2 * image + 2]];
  const files = ['a.png', 'b.png'];
  const { calibration, predictions } = describePredictions(
    MODEL,
    CLASSES,
    outputs,
    { logits: false },
    { files, inputRows },
  );
  assert.equal(calibration, used);
  const shown = predictions.map(({ file, input, classes, unsure, unsureBecause, diagnosis }) => [
    ...[file, input, classes!.map(({ label }) => label), unsure, unsureBecause],
    diagnosis!.corrected.length,
  ]);
  assert.deepEqual(shown, [
    ['a.png', [[1, 2]], [1, 0], true, 'several-classes', 0],
    ['b.png', [[3, 4]], [0], false, null, 1],
  ]);
  const [plain] = describePredictions(MODEL, CLASSES, outputs, { logits: false }).predictions;
  assert.ok(!('file' in plain!) && !('input' in plain!));
});

test('npy has the probabilities, or with a coverage the sets and the reasons', () => {
  const { probabilities, logits } = outputs;
  assert.deepEqual(encodeNpy({ probabilities, logits }, 3), npyBytes(probabilities, [2, 3]));
  const rows = Uint8Array.of(1, 1, 0, 3, 1, 0, 0, 0);
  assert.deepEqual(encodeNpy(outputs, 3), npyBytes(rows, [2, 4]));
});

test('a response is JSON or npy as the request asks, with pixels if it asks for them', () => {
  const served = { reference: MODEL, architecture: { inputShape: [1, 2] }, classNames: CLASSES } as const;
  const respond = (format: 'json' | 'npy', input = false) => {
    const images = { kind: 'bytes', bytes: Uint8Array.of(1, 2) } as const;
    const options = { logits: false, input };
    const body = { images, options, format, imageStatistics: null, guarantee: null };
    const decoded = nativeCodec.decode(body, served);
    assert.ok('batch' in decoded);
    assert.deepEqual([decoded.batch.count, decoded.diagnoses, decoded.guarantee], [1, null, null]);
    const computed = { probabilities: Float32Array.of(0, 1, 0), logits: new Float32Array(3) };
    return nativeCodec.encode(computed, decoded.responseFormat, served);
  };
  const prediction = { label: 1, className: 'shoe', probability: 1 };
  const probabilities = [0, 1, 0];
  const model = { name: 'm', version: 3 };
  assert.deepEqual(JSON.parse(respond('json').body as string), {
    model,
    predictions: [{ ...prediction, probabilities }],
  });
  assert.deepEqual(JSON.parse(respond('json', true).body as string).predictions[0].input, [[1, 2]]);
  assert.deepEqual(respond('npy'), { body: npyBytes(Float32Array.of(0, 1, 0), [1, 3]), jsonBytes: null });
  const computed = { probabilities: Float32Array.of(0, 1, 0), logits: new Float32Array(3) };
  assert.deepEqual(JSON.parse(writePredictions(served, computed, { logits: false, topK: 1 })), {
    model,
    predictions: [{ ...prediction, top: [prediction] }],
  });
});
