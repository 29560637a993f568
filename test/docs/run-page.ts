/** Runs the `sh` and `js` blocks of a page in one shell and compares their output. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Block, ROOT, readBlocks } from './pages.ts';

const RUN = ['sh', 'js'];
const SHOWN = ['json', 'text'];
const run = promisify(execFile);
/** A page that trains with the default network takes minutes on a machine that has other work. */
const PAGE_LIMIT_MS = 5 * 60_000;

export const isRun = (block: Block) => RUN.includes(block.language);

/** Pages break lines of JSON for readability, so white space is ignored. */
const compact = (text: string) => text.replace(/\s+/g, '');

/** @param expected the output on the page; … stands for any text */
export function matches(printed: string, expected: string): boolean {
  const parts = compact(expected).split('…').map(RegExp.escape);
  return new RegExp(`^${parts.join('.*?')}$`, 's').test(compact(printed));
}

/**
 * @param service host and port that replace localhost:3000
 * @param compare whether the output is compared; a second run of a page prints other version numbers
 */
export async function runPage(page: string, service: string, compare: boolean): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'atelier-docs-'));
  const localized = (text: string) =>
    text.replaceAll('localhost:3000', service).replaceAll('/tmp/', `${folder}/`);
  try {
    const blocks = readBlocks(page);
    const steps = blocks.filter(isRun);
    const lines = ['set -eo pipefail', `cd '${ROOT}'`];
    for (const block of steps) {
      lines.push(`exec >'${folder}/${block.line}.out' 2>'${folder}/${block.line}.err'`);
      if (block.language === 'js') {
        const file = join(folder, `${block.line}.mjs`);
        await writeFile(file, localized(block.text));
        lines.push(`'${process.execPath}' '${file}'`);
      } else lines.push(localized(block.text));
    }
    const script = join(folder, 'page.sh');
    await writeFile(script, `${lines.join('\n')}\n`);
    const failure = await run('bash', [script], { timeout: PAGE_LIMIT_MS }).then(
      () => undefined,
      (error: unknown) => error,
    );
    const read = (block: Block, stream: 'out' | 'err') =>
      readFileSync(join(folder, `${block.line}.${stream}`), 'utf8');
    if (failure) {
      const last = steps.findLast((block) => existsSync(join(folder, `${block.line}.out`)))!;
      assert.fail(`${page}:${last.line} fails:\n${read(last, 'err')}\n${read(last, 'out')}`);
    }
    if (!compare) return;
    for (const [index, block] of blocks.entries()) {
      const next = blocks[index + 1];
      if (!isRun(block) || !next || !SHOWN.includes(next.language)) continue;
      const printed = read(block, 'out');
      assert.ok(
        matches(printed, localized(next.text)),
        `${page}:${next.line} shows\n${next.text}\nbut the commands print\n${printed}`,
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
