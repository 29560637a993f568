/** Writes the generated tables of the documentation; with --check, fails when a page is out of date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { configuration } from './docs/configuration.ts';
import { errors } from './docs/errors.ts';
import { limits } from './docs/limits.ts';
import { metrics } from './docs/metrics.ts';
import { scopes } from './docs/scopes.ts';

const FOLDER = new URL('../docs/', import.meta.url);

/** The sections of each page that are generated. */
const PAGES: Readonly<Record<string, Readonly<Record<string, () => string | Promise<string>>>>> = {
  'reference/configuration.md': { configuration },
  'reference/errors.md': errors,
  'reference/limits.md': limits,
  'reference/metrics.md': { metrics },
  'operations/api-keys.md': { scopes },
};

async function generate(text: string, sections: (typeof PAGES)[string]): Promise<string> {
  let result = text;
  for (const [name, write] of Object.entries(sections)) {
    const marked = new RegExp(`(<!-- generated: ${name} -->\n).*?(<!-- end -->)`, 's');
    if (!marked.test(result)) throw new Error(`No section is marked <!-- generated: ${name} -->.`);
    const content = await write();
    result = result.replace(marked, (_, start: string, end: string) => `${start}\n${content}\n\n${end}`);
  }
  return result;
}

for (const [page, sections] of Object.entries(PAGES)) {
  const file = new URL(page, FOLDER);
  const before = readFileSync(file, 'utf8');
  const after = await generate(before, sections);
  if (!process.argv.includes('--check')) writeFileSync(file, after);
  else if (after !== before) {
    console.error(`docs/${page} is out of date. Run: npm run docs`);
    process.exitCode = 1;
  }
}
