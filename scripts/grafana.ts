/** Writes deploy/grafana/atelier.json; with --check, fails if it is out of date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createDashboard } from './grafana/dashboard.ts';

const FILE = new URL('../deploy/grafana/atelier.json', import.meta.url);
const text = `${JSON.stringify(createDashboard(), null, 2)}\n`;
if (!process.argv.includes('--check')) writeFileSync(FILE, text);
else if (readFileSync(FILE, 'utf8') !== text) {
  console.error('deploy/grafana/atelier.json is out of date. Run: npm run grafana');
  process.exitCode = 1;
}
