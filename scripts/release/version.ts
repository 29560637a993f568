/** The version of a release, in every file of a checkout that names it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dateChanges } from './changelog.ts';
import { run } from './run.ts';

/** Files that npm and the generators do not write, with the text before the version. */
const PLACES = [
  ['Dockerfile', 'ARG VERSION='],
  ['README.md', 'atelier-'],
  ['CONTRIBUTING.md', 'atelier-'],
  ['CONTRIBUTING.md', 'client-'],
  ['docs/operations/package.md', 'atelier-'],
  ['openapi/examples/protocols.json', '"version": "'],
  ['clients/python/atelier/__init__.py', '__version__ = "'],
] as const;
const GENERATORS = ['openapi', 'kubernetes', 'docs'];

/** Does nothing if the checkout has the version. @throws Error if there is nothing to release */
export function setVersion(root: string, version: string, day: string): void {
  function edit(name: string, change: (text: string) => string): void {
    const file = join(root, name);
    writeFileSync(file, change(readFileSync(file, 'utf8')));
  }
  edit('CHANGELOG.md', (text) => dateChanges(text, version, day));
  const { version: previous } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  if (previous === version) return;
  for (const folder of [root, join(root, 'clients/node')]) {
    run(folder, 'npm', 'version', version, '--no-git-tag-version', '--ignore-scripts');
  }
  for (const [name, before] of PLACES) {
    edit(name, (text) => {
      if (!text.includes(before + previous))
        throw new Error(`${name} does not name the version ${previous}.`);
      return text.replaceAll(before + previous, before + version);
    });
  }
  for (const generator of GENERATORS) run(root, 'npm', 'run', generator);
}
