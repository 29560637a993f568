import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochRecordSchema, progressSchema } from '../../../src/domain/jobs/epoch-record.ts';

test('epochs are counted from 1, and progress is a fraction', () => {
  const { epoch } = epochRecordSchema.shape;
  assert.deepEqual(
    [0, 1].map((number) => epoch.safeParse(number).success),
    [false, true],
  );
  const { fraction } = progressSchema.shape;
  assert.deepEqual(
    [-0.01, 0, 1, 1.01].map((number) => fraction.safeParse(number).success),
    [false, true, true, false],
  );
});
