/** Writes generated parts of the documentation; with --check, fails if one is out of date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { configuration } from './docs/configuration.ts';
import { errors } from './docs/errors.ts';
import { limits } from './docs/limits.ts';
import { llms } from './docs/llms.ts';
import { metrics } from './docs/metrics.ts';
import { scopes } from './docs/scopes.ts';

const ROOT = new URL('../', import.meta.url);

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

function update(path: string, text: string): void {
  const file = new URL(path, ROOT);
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${path} is out of date. Run: npm run docs`);
    process.exitCode = 1;
  }
}

for (const [page, sections] of Object.entries(PAGES)) {
  const path = `docs/${page}`;
  update(path, await generate(readFileSync(new URL(path, ROOT), 'utf8'), sections));
}
// From the pages that have just been written.
for (const [name, text] of Object.entries(llms())) update(`src/http/docs/${name}`, text);
