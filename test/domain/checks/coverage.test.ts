import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coverageReportSchema, describeCoverage } from '../../../src/domain/checks/coverage.ts';

test('a measured coverage is shown with its version, its images and its calibration', () => {
  const level = { coverage: 0.9, measured: 0.875, meanSize: 1.5, unsure: 0.25, sureAccuracy: null };
  const calibration = { dataset: 'dst_1', split: 'train', images: 40, reused: false } as const;
  const shown = describeCoverage(
    { name: 'digits', version: 2 },
    { dataset: 'dst_2', split: 'test' },
    {
      report: { examples: 50, levels: [level], expectedCalibrationError: { before: 0.5, after: 0.25 } },
      calibration: { ...calibration, temperature: 1.5 },
      reused: true,
    },
  );
  const expected = {
    model: { name: 'digits', version: 2 },
    dataset: 'dst_2',
    split: 'test',
    examples: 50,
    calibration,
    reused: true,
    levels: [level],
    temperature: 1.5,
    expectedCalibrationError: { before: 0.5, after: 0.25 },
  };
  assert.deepEqual(shown, expected);
  assert.deepEqual(coverageReportSchema.parse(shown), expected);
  for (const measured of [-0.1, 1.1]) {
    const levels = [{ ...level, measured }];
    assert.equal(coverageReportSchema.safeParse({ ...expected, levels }).success, false);
  }
});
