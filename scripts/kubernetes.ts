/** Writes deploy/kubernetes and deploy/helm; with --check, fails if a file is out of date. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { CHART } from './kubernetes/chart.ts';
import { FILES } from './kubernetes/files.ts';
import { HEADER, manifest } from './kubernetes/manifest.ts';

const DEPLOY = new URL('../deploy/', import.meta.url);
const KUBERNETES = 'kubernetes/';
const HELM = 'helm/atelier/';

const texts = Object.fromEntries([
  ...Object.entries(FILES).map(([name, objects]) => [KUBERNETES + name, HEADER + manifest(objects)]),
  ...Object.entries(CHART).map(([name, text]) => [HELM + name, text]),
]) as Readonly<Record<string, string>>;

const isCheck = process.argv.includes('--check');
function reject(name: string, reason: string): void {
  console.error(`deploy/${name} ${reason}. Run: npm run kubernetes`);
  process.exitCode = 1;
}

if (!isCheck) mkdirSync(new URL(`${HELM}templates`, DEPLOY), { recursive: true });
for (const [name, text] of Object.entries(texts)) {
  const file = new URL(name, DEPLOY);
  if (!isCheck) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) reject(name, 'is out of date');
}
for (const folder of [KUBERNETES, HELM]) {
  for (const name of readdirSync(new URL(folder, DEPLOY), { recursive: true, encoding: 'utf8' })) {
    if (/\.\w+$/.test(name) && !(folder + name in texts)) reject(folder + name, 'is not generated');
  }
}
