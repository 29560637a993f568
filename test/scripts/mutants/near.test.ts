import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFindNear } from '../../../scripts/mutants/near.ts';

const findNear = createFindNear(join(import.meta.dirname, '../../..'));

test('the test of a file is nearest, then its folder, then the tests that import it in the fewest steps', () => {
  const [own, ...others] = findNear('src/numerics/simd/constants.ts', 'fast');
  assert.equal(
    own,
    'test/numerics/simd/conformance.test.ts',
    'without a test of its own, its folder is next',
  );
  const isFolder = (test: string) => test.startsWith('test/numerics/simd/');
  const rest = others.slice(others.findIndex((test) => !isFolder(test)));
  assert.ok(!rest.some(isFolder));
  assert.ok(rest.includes('test/numerics/training/memory.test.ts'), `${rest}`);
  assert.equal(findNear('src/domain/primitives.ts', 'fast')[0], 'test/domain/primitives.test.ts');
  assert.equal(findNear('cli/help.ts', 'fast')[0], 'test/cli/help.test.ts');
});

test('slow tests are found apart from fast ones', () => {
  const slow = findNear('src/http/hooks/access/leased-calls.ts', 'slow');
  assert.equal(slow[0], 'test/http/hooks/access/leased-calls.slow.test.ts');
  assert.ok(slow.every((test) => test.endsWith('.slow.test.ts')));
});
