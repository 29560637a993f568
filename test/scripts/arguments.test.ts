import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
const cases = [
  ['recipes', 'seeds', 'examples/recipes/README.md'],
  ['kills', 'kills', 'bench/results/survival.md'],
] as const;

for (const [script, option, table] of cases) {
  test(`${script} rejects a --${option} that is not a positive number, and keeps its table`, () => {
    const before = readFileSync(join(ROOT, table), 'utf8');
    for (const value of ['0', 'x', '1.5', '']) {
      const args = [join(ROOT, `scripts/${script}.ts`), `--${option}=${value}`];
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      assert.equal(status, 1);
      assert.match(
        stderr,
        new RegExp(`^--${option} must be a whole number from 1 to 1000000, not "${value}"`),
      );
    }
    assert.equal(readFileSync(join(ROOT, table), 'utf8'), before);
  });
}
