import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../datasets/fixtures.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/check.ts');

test('runs every check, and names those that fail with their output', async (t) => {
  const cwd = temporaryFolder(t);
  const check = async (scripts: Record<string, string>) => {
    await writeFile(join(cwd, 'package.json'), JSON.stringify({ scripts }));
    return spawnSync(process.execPath, [SCRIPT], { cwd, encoding: 'utf8' });
  };
  const sound = { 'check:one': 'echo first', 'check:two': 'echo second', other: 'exit 3' };
  const passed = await check(sound);
  assert.equal(passed.status, 0, passed.stderr);
  assert.match(passed.stdout, /^✔ check:one .*\nfirst$/m);
  assert.match(passed.stdout, /^✔ check:two .*\nsecond$/m);

  const rejected = await check({ 'check:bad': 'echo wrong >&2; exit 1', 'check:worse': 'exit 2', ...sound });
  assert.equal(rejected.status, 1);
  assert.match(rejected.stdout, /^✖ check:bad .*\nwrong$/m);
  assert.match(rejected.stdout, /^✔ check:two /m);
  assert.match(rejected.stderr, /^Failed: (check:bad, check:worse|check:worse, check:bad)$/m);
});
