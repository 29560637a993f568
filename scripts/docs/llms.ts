/** Documentation for language models: a list of the pages, and all pages in one file. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Pages by heading. Those of "Optional" may be left out, by the meaning that the format gives this heading. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  Guides: ['docs/guides/*.md'],
  Reference: ['docs/reference/*.md'],
  Operations: ['docs/operations/*.md'],
  Optional: ['docs/*.md', 'docs/decisions/*.md'],
};

/** The service serves each page at the path in the line before it. */
const mark = (path: string) => `<!-- ${path} -->\n${read(path)}`;

/** A line of the list: the title, the path, and the first sentence without the targets of its links. */
function link(path: string, page: string): string {
  const [, title, paragraph] = /^# (.+)\n\n((?:.+\n)+)/.exec(page)!;
  const text = paragraph!.replaceAll('\n', ' ').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  const [sentence] = /^.+?\.(?= )/.exec(text)!;
  return `- [${title}](${path}): ${sentence}\n`;
}

/** @returns the files of src/http/docs, in the format of https://llmstxt.org */
export function llms(): Readonly<Record<string, string>> {
  const [, summary] = /^# .+\n\n(.+)\n/.exec(read('README.md'))!;
  let index = `# Atelier

> ${packageJson.description}

${summary}

- [README](README.md): the quick start.
- [OpenAPI document](openapi.json): every route, field and error of the HTTP API.
- [All pages](llms-full.txt): the pages below in one file.
`;
  let full = mark('README.md');
  for (const [heading, patterns] of Object.entries(SECTIONS)) {
    index += `\n## ${heading}\n\n`;
    for (const path of patterns.flatMap((pattern) => globSync(pattern, { cwd: ROOT }).toSorted())) {
      index += link(path, read(path));
      full += `\n${mark(path)}`;
    }
  }
  return { 'llms.txt': index, 'llms-full.txt': full };
}
