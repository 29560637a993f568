import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecutionEnvironment } from '../../../src/domain/training/reproducibility.ts';
import { hasOtherOrigin, readOrigin, writeOrigin } from '../../../src/store/jobs/origin.ts';
import { openStateDirectory } from '../../../src/store/transfer/state-directory.ts';
import { temporaryDirectory } from '../fixtures.ts';

const environment = {
  kernel: { name: 'simd', digest: 'sha256:a' },
  fused: true,
  dataset: { id: 'digits', digest: 'sha256:b' },
} as unknown as ExecutionEnvironment;

test('checkpoints have another origin if kernel or rounding differ, whatever else does', () => {
  const origin = '{"kernel":{"name":"simd","digest":"sha256:a"},"fused":true}';
  assert.equal(hasOtherOrigin({ origin }, environment), false);
  assert.equal(hasOtherOrigin({ origin }, { ...environment, dataset: { id: 'x', digest: 'y' } }), false);
  assert.equal(hasOtherOrigin({ origin }, { ...environment, fused: false }), true);
  const kernel = { name: 'simd', digest: 'sha256:c' };
  assert.equal(hasOtherOrigin({ origin }, { ...environment, kernel }), true);
  assert.equal(hasOtherOrigin({ origin: '{x' }, environment), true, 'a damaged one differs');
});

test('without checkpoints, or without a known environment, no origin is another', () => {
  assert.equal(hasOtherOrigin({ origin: null }, environment), false);
  assert.equal(hasOtherOrigin({ origin: '{x' }, null), false);
  assert.equal(hasOtherOrigin({ origin: null }, null), false);
});

test('a job that does not exist has no origin, and one whose environment is unknown gets none', async (t) => {
  const { db, close } = await openStateDirectory(await temporaryDirectory(t), false);
  t.after(close);
  assert.equal(await readOrigin(db, 'job_1'), null);
  await db.transaction().execute((trx) => writeOrigin(trx, { id: 'job_1', circumstances: null } as never));
  assert.equal(await readOrigin(db, 'job_1'), null);
});
