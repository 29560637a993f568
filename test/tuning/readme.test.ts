import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TECHNIQUES } from '../../src/tuning/switches.ts';

const ROOT = join(import.meta.dirname, '../..');

test('the page about tuning gives the switch and the test of each technique', () => {
  const rows = readFileSync(join(ROOT, 'src/tuning/README.md'), 'utf8').split('\n');
  for (const name of TECHNIQUES) {
    const row = rows.find((line) => line.startsWith(`| \`${name}\``));
    assert.ok(row?.includes(`\`TUNING_OFF=${name}\``), name);
    assert.ok(existsSync(join(ROOT, /`(test\/[^`]+)`/.exec(row ?? '')?.[1] ?? '')), name);
  }
});
