/** Licence notices of the packages in a bundle. Their licences ask to keep them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Returns one comment. Packages with the same licence text share it.
 * @param inputs files of the bundle, relative to `root`
 */
export function collectLicences(root: string, inputs: readonly string[]): string {
  const packages = new Set(
    inputs.flatMap((file) => /^(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []),
  );
  const texts = new Map<string, string[]>();
  for (const folder of [...packages].sort()) {
    const { name, version } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt'].find((each) =>
      existsSync(join(root, folder, each)),
    );
    if (file === undefined) throw new Error(`${name} has no licence file`);
    const text = readFileSync(join(root, folder, file), 'utf8');
    const copyright = /^Copyright .*$/m.exec(text)?.[0] ?? '';
    const terms = text.slice(text.indexOf('Permission ')).replace(/\s+/g, ' ').replaceAll('*/', '').trim();
    texts.set(terms, [...(texts.get(terms) ?? []), `${name} ${version}: ${copyright}`]);
  }
  const notices = Array.from(texts, ([terms, names]) => `${names.join('\n')}\n${terms}`);
  return `/*!\n${notices.join('\n\n')}\n*/`;
}
