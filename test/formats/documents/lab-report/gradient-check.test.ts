import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradientCheckBlocks } from '../../../../src/formats/documents/lab-report/gradient-check.ts';
import type { ReportInput } from '../../../../src/formats/documents/lab-report/input.ts';

test('the error of a gradient is compared with both limits of the course', () => {
  const met = (error: number) => {
    const gradientCheck = {
      ...{ scheme: 'central', stepSize: 1e-6, coordinates: 1, kinks: 0, loss: 2.3, tolerance: 1e-5 },
      ...{ error, relativeError: 1e-9, passed: true, blocks: [], advice: null },
    };
    const report = { gradientCheck, job: { warmStart: null } };
    const table = gradientCheckBlocks({ report } as unknown as ReportInput).find(
      ({ kind }) => kind === 'table',
    );
    assert.ok(table?.kind === 'table');
    return table.rows.map((row) => row[2]);
  };
  assert.deepEqual(met(0.015), ['no', 'no', 'yes']);
  assert.deepEqual(met(0.01), ['no', 'no', 'yes']);
  assert.deepEqual(met(0.009), ['yes', 'no', 'yes']);
  assert.deepEqual(met(9e-5), ['yes', 'yes', 'yes']);
});
