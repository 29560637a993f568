/** The package.json of the package. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageDescription } from '../../../scripts/package/description.ts';

test('the package can be published with its repository, and depends on what production depends on', () => {
  const checkout = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'));
  const repository = { type: 'git', url: 'git+https://example.org/atelier.git' };
  const { name, version, bin, dependencies, optionalDependencies, engines, ...rest } = packageDescription({
    ...checkout,
    repository,
  });
  assert.deepEqual(
    { name, version, bin, dependencies, optionalDependencies },
    {
      name: 'atelier',
      version: checkout.version,
      bin: { atelier: 'cli/atelier' },
      dependencies: checkout.dependencies,
      optionalDependencies: checkout.optionalDependencies,
    },
  );
  assert.deepEqual(engines, { node: '>=24' });
  assert.deepEqual(rest.repository, repository);
  assert.deepEqual(Object.keys(rest).toSorted(), ['author', 'description', 'license', 'repository', 'type']);
});
