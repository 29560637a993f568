/** The page of results, one section per kind of test. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGE = join(import.meta.dirname, '../../bench/results/survival.md');
/** In this order; the last one is written by hand after scripts/full-disk-check.sh. */
const HEADINGS = ['Kills', 'Replicas', 'Full disk'] as const;

/** Replaces a section of the page. @param text without the heading */
export function writeSection(heading: 'Kills' | 'Replicas', text: string): void {
  const parts = readFileSync(PAGE, 'utf8').split(/^## (.*)\n/m);
  const sections = new Map<string, string>([[heading, text]]);
  for (let n = 1; n < parts.length; n += 2) {
    if (parts[n] !== heading) sections.set(parts[n]!, parts[n + 1]!.trim());
  }
  const ordered = HEADINGS.flatMap((each) => {
    const section = sections.get(each);
    return section === undefined ? [] : [`## ${each}\n\n${section}`];
  });
  writeFileSync(PAGE, `${[parts[0]!.trim(), ...ordered].join('\n\n')}\n`);
}

/** @param rows of two cells */
export function toTable(rows: readonly (readonly string[])[], columns = ['', '']): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), `|${'---|'.repeat(columns.length)}`, ...rows.map(line)].join('\n');
}
