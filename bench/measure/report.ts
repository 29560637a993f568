/** The report of a group, as Markdown. */
import { describeMachine } from '../machine.ts';
import { readable } from './statistics.ts';

export interface Table {
  readonly heading: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** `measured` is undefined if a peer it needs is not installed. */
export interface Goal {
  readonly what: string;
  readonly measured: number | undefined;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Report {
  readonly title: string;
  readonly method: string;
  /** "NumPy 2.2.4" */
  readonly versions: readonly string[];
  /** Skipped peers, with the reason. */
  readonly skipped: readonly string[];
  readonly tables: readonly Table[];
  readonly goals: readonly Goal[];
}

export function toMarkdown(report: Report): string {
  const { title, method, versions, skipped, tables, goals } = report;
  const parts = [`# ${title}`, `${describeMachine()}${versions.map((v) => `; ${v}`).join('')}.`, method];
  if (skipped.length > 0) parts.push(`Not measured: ${skipped.join('; ')}.`);
  for (const { heading, columns, rows } of tables) parts.push(`## ${heading}`, markdownTable(columns, rows));
  if (goals.length > 0) {
    parts.push('## Goals', markdownTable(['goal', 'target', 'measured', 'reached'], goals.map(goalRow)));
  }
  return `${parts.join('\n\n')}\n`;
}

/** The first line of the part of a page that is written by hand. */
const HANDWRITTEN = '<!-- Written by hand from here on; a new run keeps it. -->';

/** The new page, with the part of the old one that is written by hand. */
export function keepHandwritten(page: string, old: string): string {
  const start = old.indexOf(HANDWRITTEN);
  return start < 0 ? page : `${page}\n${old.slice(start)}`;
}

function goalRow({ what, measured, atLeast, atMost }: Goal): string[] {
  const asked = atLeast === undefined ? `≤ ${readable(atMost!)}` : `≥ ${readable(atLeast)}`;
  if (measured === undefined) return [what, asked, '–', 'not measured'];
  const reached = measured >= (atLeast ?? -Infinity) && measured <= (atMost ?? Infinity);
  return [what, asked, readable(measured), reached ? 'yes' : 'no'];
}

/** The first column is text, the others are numbers. */
export function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), `|---|${'---:|'.repeat(columns.length - 1)}`, ...rows.map(line)].join('\n');
}
