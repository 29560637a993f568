import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const DOCS = join(import.meta.dirname, '../docs');

test('every line of docs/reference/limits.md says what the code does', () => {
  const rows = readFileSync(join(DOCS, 'reference/limits.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| limit ') && !line.startsWith('| --'));
  assert.ok(rows.length > 20);
  for (const row of rows) {
    const [, quoted, path] = /`([^`]+)` in \[[^\]]+\]\(([^)]+)\) +\|$/.exec(row) ?? [];
    assert.ok(quoted && path, `names what it rests on: ${row}`);
    assert.ok(readFileSync(join(DOCS, 'reference', path), 'utf8').includes(quoted), row);
  }
});
