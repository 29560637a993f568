/** Bundles the page into src/http/page/*.js; with --check, fails if they are out of date. */
import { createHash } from 'node:crypto';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { readForms } from './page/forms.ts';
import { collectLicences } from './page/licences.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = 'src/http/page';
/** Stands for the digest of the files until they have been built. */
const BUILD = '@build@';

const { outputFiles, metafile } = await build({
  absWorkingDir: ROOT,
  // In a work tree node_modules is a link. With the paths of its target, the bundle would be another one.
  preserveSymlinks: true,
  // screens.ts imports main.tsx, so all of the first is shared: the chunk "page" is the page, and its entry only imports it.
  entryPoints: { entry: 'page/main.tsx', 'page-screens': 'page/screens.ts' },
  chunkNames: 'page',
  splitting: true,
  outdir: FOLDER,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2024',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  tsconfig: 'page/tsconfig.json',
  charset: 'utf8',
  define: { ...readForms(ROOT), BUILD: JSON.stringify(BUILD) },
  alias: { 'd3-interpolate': './page/d3/interpolate.ts' },
  legalComments: 'none',
  metafile: true,
  write: false,
});
const bundles = outputFiles.filter(({ path }) => basename(path) !== 'entry.js');
const digest = createHash('sha256')
  .update(bundles.map(({ text }) => text).join(''))
  .digest('base64url')
  .slice(0, 8);
const texts = new Map(
  bundles.map(({ path, text }) => {
    const name = basename(path);
    const inputs = Object.keys(metafile.outputs[`${FOLDER}/${name}`]!.inputs);
    return [name, `${collectLicences(ROOT, inputs)}\n${text.replaceAll(BUILD, digest)}`];
  }),
);
if (!process.argv.includes('--check')) {
  for (const [name, text] of texts) writeFileSync(join(ROOT, FOLDER, name), text);
}
const committed = new Map(
  globSync(`${FOLDER}/*.js`, { cwd: ROOT }).map((file) => [
    basename(file),
    readFileSync(join(ROOT, file), 'utf8'),
  ]),
);
const outdated = [...new Set([...texts.keys(), ...committed.keys()])].filter(
  (name) => texts.get(name) !== committed.get(name),
);
if (outdated.length > 0) {
  console.error(
    `${outdated.join(', ')} in ${FOLDER}: out of date or not part of the page. Run: npm run page`,
  );
  process.exitCode = 1;
}
