import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareReproduction } from '../../../src/domain/training/reproducibility.ts';

const arithmetic = (digest: string, fused: boolean) => ({ kernel: { name: 'k', digest }, fused });
const target = { of: 'job_1', expected: 'sha256:a', ...arithmetic('sha256:k', true) };
const same = arithmetic('sha256:k', true);

for (const [environments, digest, expected] of [
  [[], null, [null, null, null]],
  [[same], null, [null, true, true]],
  [[same], 'sha256:a', [true, true, true]],
  [[same], 'sha256:b', [false, true, true]],
  [[same, arithmetic('sha256:other', true)], 'sha256:a', [true, false, true]],
  [[same, arithmetic('sha256:k', false)], 'sha256:a', [true, true, false]],
] as const) {
  test(`a repetition in ${environments.length} environments with the digest ${digest} is compared`, () => {
    const { agrees, sameKernel, sameProcessor, ...rest } = compareReproduction(target, environments, digest);
    assert.deepEqual([agrees, sameKernel, sameProcessor], expected);
    assert.deepEqual(rest, { of: 'job_1', expected: 'sha256:a' });
  });
}
