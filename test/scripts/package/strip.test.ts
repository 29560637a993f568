/** JavaScript of the package from TypeScript. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replaceEndings, toJavaScript } from '../../../scripts/package/strip.ts';

test('types become spaces, so every line and column stays', () => {
  assert.equal(
    toJavaScript("import type { A } from './a.ts';\nexport const f = (a: A): number => a.size;"),
    `${' '.repeat(32)}\nexport const f = (a   )         => a.size;`,
  );
});

test('imports, worker entries and paths of the shell script refer to JavaScript', () => {
  for (const [source, expected] of [
    ["import { a } from '../a.ts';", "import { a } from '../a.js';"],
    ["export * from './a.ts';", "export * from './a.js';"],
    ["await import('./a.worker.ts')", "await import('./a.worker.js')"],
    ["new URL('./a.ts', import.meta.url)", "new URL('./a.js', import.meta.url)"],
    ['exec node "$cli/main.ts" "$@"', 'exec node "$cli/main.js" "$@"'],
    ["'the file a.ts', './a.tsx', 'ts'", "'the file a.ts', './a.tsx', 'ts'"],
  ]) {
    assert.equal(replaceEndings(source!), expected);
  }
});

test('rejects syntax that is more than types', () => {
  assert.throws(() => toJavaScript('enum A { b }'), SyntaxError);
});
