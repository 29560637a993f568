/** Markdown pages of the repository and their fenced code blocks. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

export interface Block {
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  /** Rest of the info string, after the language. */
  readonly note: string;
  readonly text: string;
}

const FOLDERS = ['docs', 'bench', 'clients', 'data', 'examples', 'openapi'];

/** Paths of all pages, relative to the repository: the README first, then by name. */
export const PAGES: readonly string[] = [
  'README.md',
  ...['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'test/README.md'],
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
      .map((name) => `${folder}/${name}`)
      .sort(),
  ),
];

export const readPage = (page: string) => readFileSync(join(ROOT, page), 'utf8');

export function readBlocks(page: string): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; info: string; lines: string[] } | undefined;
  for (const [index, line] of readPage(page).split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (open && fence) {
      const [language = '', ...note] = open.info.split(' ');
      blocks.push({ line: open.line, language, note: note.join(' '), text: open.lines.join('\n') });
      open = undefined;
    } else if (open) open.lines.push(line);
    else if (fence) open = { line: index + 1, info: fence[1]!.trim(), lines: [] };
  }
  return blocks;
}
