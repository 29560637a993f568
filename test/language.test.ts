/** Plain English: patterns that are always wrong in comments, messages and docs. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');

/** The start of a block comment, or of a line comment that does not continue another. */
const COMMENT = /(?:\/\*\*?\s(?:\s*\*\s)?|(?<!\/\/[^\n]*\n[ \t]*)\/\/ )/;
const FRAGMENT = new RegExp(`${COMMENT.source}\\s*(Of|What|Which|Whoever)\\s`, 'g');
const WORD = /\b(whoever|told)\b/gi;

/** @returns each match as `file:line: text` */
function findIn(files: readonly string[], pattern: RegExp): string[] {
  return files.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    return Array.from(text.matchAll(pattern), (match) => {
      const end = match.index + match[0].length;
      return `${file}:${text.slice(0, end).split('\n').length}: ${match[1]}`;
    });
  });
}

const source = globSync('{cli,page,src}/**/*.{ts,tsx}', { cwd: ROOT });
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT, exclude: ['CHANGELOG.md'] });

test('comments do not begin as fragments', () => {
  assert.deepEqual(findIn(source, FRAGMENT), []);
});

test('sources and pages avoid words of the old dialect', () => {
  assert.deepEqual(findIn([...source, ...pages], WORD), []);
});
