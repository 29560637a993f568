/** The heading of a release in the changelog. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dateChanges } from '../../../scripts/release/changelog.ts';

const CHANGES =
  '# Changelog\n\n## Unreleased\n\n### Training\n\n- Faster.\n\n## 0.1.0 (2026-12-01)\n\n- First.\n';

test('the unreleased changes get a heading with the version and the day', () => {
  assert.equal(
    dateChanges(CHANGES, '0.1.1', '2027-01-31'),
    '# Changelog\n\n## Unreleased\n\n## 0.1.1 (2027-01-31)\n\n### Training\n\n- Faster.\n\n## 0.1.0 (2026-12-01)\n\n- First.\n',
  );
});

test('the first release needs no earlier one', () => {
  assert.equal(
    dateChanges('## Unreleased\n\n- First.\n', '0.1.0', '2026-12-01'),
    '## Unreleased\n\n## 0.1.0 (2026-12-01)\n\n- First.\n',
  );
});

test('a version that has its heading keeps its day', () => {
  assert.equal(dateChanges(CHANGES, '0.1.0', '2027-01-31'), CHANGES);
});

test('without changes there is nothing to release', () => {
  const released = dateChanges(CHANGES, '0.1.1', '2027-01-31');
  assert.throws(() => dateChanges(released, '0.1.2', '2027-02-01'), /no changes below "## Unreleased"/);
});
