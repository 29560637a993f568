import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datasetReportSchema } from '../../../src/domain/datasets/report.ts';

const report = (pairs: number, files: number) => {
  const none = { images: 0, withOtherLabel: 0, first: [] };
  const size = [1, 1] as const;
  const first = Array.from({ length: pairs }, (_, n) => [n, n + 1]);
  const listed = Array.from({ length: files }, (_, n) => `${n}.txt`);
  return {
    arrays: [],
    pixels: { range: '0-255', rounded: 0 },
    heldOut: null,
    archive: {
      images: 1,
      imagesPerClass: [1],
      smallest: size,
      largest: size,
      ignored: { files, first: listed },
    },
    duplicates: { train: { ...none, images: pairs, first }, test: none, across: none },
    constantImages: { train: 0, test: 0 },
    warnings: [],
  };
};
const isValid = (pairs: number, files: number) => datasetReportSchema.safeParse(report(pairs, files)).success;

test('a report lists at most five pairs of duplicates and ten files of an archive', () => {
  assert.deepEqual(
    [isValid(5, 10), isValid(6, 10), isValid(5, 11), isValid(0, 0)],
    [true, false, false, true],
  );
});
