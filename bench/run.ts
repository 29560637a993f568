/**
 * usage: npm run bench [-- GROUP …] [--quick] [--machine intel-xeon]
 * Writes each group to bench/results/GROUP.md, or to a folder there that is named like the machine. --quick only checks that
 * everything runs, and writes nothing.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { blobs } from './groups/blobs.ts';
import { charts } from './groups/charts.ts';
import { convolutions } from './groups/convolutions.ts';
import { gradientChecks } from './groups/gradient-check.ts';
import { growth } from './groups/growth.ts';
import { latency } from './groups/latency.ts';
import { overload } from './groups/overload.ts';
import { page } from './groups/page.ts';
import { predictions } from './groups/predictions.ts';
import { preview } from './groups/preview.ts';
import { replicas } from './groups/replicas.ts';
import { scaling } from './groups/scaling.ts';
import { searches } from './groups/search.ts';
import { start } from './groups/start.ts';
import { training } from './groups/training.ts';
import { keepHandwritten, type Report, toMarkdown } from './measure/report.ts';
import { type Effort, FULL, QUICK } from './measure/turns.ts';

const GROUPS: Readonly<Record<string, (effort: Effort) => Promise<Report>>> = {
  training,
  convolutions,
  'gradient-check': gradientChecks,
  predictions,
  latency,
  scaling,
  overload,
  blobs,
  charts,
  replicas,
  growth,
  searches,
  start,
  preview,
  page,
};
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, machine: { type: 'string', default: '' } },
});
const results = join(import.meta.dirname, 'results', values.machine);
const chosen = positionals.length > 0 ? positionals : Object.keys(GROUPS);
const unknown = chosen.find((name) => !(name in GROUPS));
if (unknown !== undefined) {
  console.error(`Unknown group ${unknown}. Groups are ${Object.keys(GROUPS).join(', ')}.`);
  process.exit(1);
}
for (const name of chosen) {
  const markdown = toMarkdown(await GROUPS[name]!(values.quick ? QUICK : FULL));
  if (!values.quick) {
    mkdirSync(results, { recursive: true });
    const file = join(results, `${name}.md`);
    writeFileSync(file, existsSync(file) ? keepHandwritten(markdown, readFileSync(file, 'utf8')) : markdown);
  }
  console.log(markdown);
}
