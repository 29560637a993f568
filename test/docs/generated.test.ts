import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configuration } from '../../scripts/docs/configuration.ts';
import { errors } from '../../scripts/docs/errors.ts';
import { limits } from '../../scripts/docs/limits.ts';
import { metrics } from '../../scripts/docs/metrics.ts';
import { readPage } from './pages.ts';

/** The generated sections of pages, whose values are those of the service. */
const SECTIONS: readonly (readonly [
  page: string,
  sections: Record<string, () => string | Promise<string>>,
])[] = [
  ['docs/reference/limits.md', limits],
  ['docs/reference/errors.md', errors],
  ['docs/reference/metrics.md', { metrics }],
  ['docs/reference/configuration.md', { configuration }],
];

for (const [page, sections] of SECTIONS) {
  for (const [name, write] of Object.entries(sections)) {
    test(`the section "${name}" of ${page} has the values of the service`, async () => {
      const [, documented] = readPage(page).split(`<!-- generated: ${name} -->\n\n`);
      assert.equal(documented!.split('\n\n<!-- end -->')[0], await write());
    });
  }
}
