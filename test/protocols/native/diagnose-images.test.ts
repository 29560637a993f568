import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computeImageStatistics } from '../../../src/numerics/diagnosis/image-statistics.ts';
import { diagnoseImages } from '../../../src/protocols/native/diagnose-images.ts';

const SHAPE = [8, 8] as const;
/** Bars of different lightness on black. */
const training = Uint8Array.from({ length: 64 * 100 }, (_, i) =>
  i % 64 >= 24 && i % 64 < 40 ? 150 + ((i * 7) % 100) : 0,
);
const statistics = computeImageStatistics({ pixels: training, labels: new Uint8Array(100) }, SHAPE, 1);

test('each image is diagnosed on its own, with the corrections that were made to it', () => {
  const pixels = new Uint8Array(3 * 64);
  pixels.set(training.subarray(0, 64), 64);
  pixels.fill(7, 128);
  const correction = { code: 'resized', detail: 'from 9×9' } as const;
  const parts = [0, 1, 2].map((n) => ({
    kind: 'batch' as const,
    count: 1,
    pixels: pixels.subarray(64 * n, 64 * (n + 1)),
    corrected: n === 2 ? [correction] : [],
  }));
  const diagnoses = diagnoseImages(
    { kind: 'many', parts, names: null },
    { count: 3, pixels },
    SHAPE,
    statistics,
  );
  assert.deepEqual(
    diagnoses.map(({ findings }) => findings.map(({ code }) => code)),
    [['blank'], [], ['blank']],
  );
  assert.match(diagnoses[2]!.findings[0]!.detail, /^Every pixel is 7,/);
  assert.deepEqual(
    diagnoses.map(({ corrected }) => corrected),
    [[], [], [correction]],
  );
});

test('at most 10,000 images are diagnosed', () => {
  const images = { kind: 'bytes', bytes: new Uint8Array(0) } as const;
  const batch = { count: 10_001, pixels: images.bytes };
  assert.throws(() => diagnoseImages(images, batch, SHAPE, statistics), {
    code: 'impossible-request',
    message: '10,001 images were sent; ?diagnose allows at most 10,000. Send fewer, or omit ?diagnose.',
  });
});
