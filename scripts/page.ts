/** Bundles the page into src/http/page/page.js; with --check, fails if it is out of date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { readForms } from './page/forms.ts';
import { collectLicences } from './page/licences.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FILE = 'src/http/page/page.js';

const { outputFiles, metafile } = await build({
  absWorkingDir: ROOT,
  entryPoints: ['page/main.tsx'],
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2024',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  tsconfig: 'page/tsconfig.json',
  charset: 'utf8',
  define: readForms(ROOT),
  alias: { 'd3-interpolate': './page/d3/interpolate.ts', 'd3-shape': './page/d3/shape.ts' },
  legalComments: 'none',
  metafile: true,
  write: false,
});
const text = `${collectLicences(ROOT, Object.keys(metafile.inputs))}\n${outputFiles[0]!.text}`;
if (!process.argv.includes('--check')) writeFileSync(`${ROOT}${FILE}`, text);
else if (readFileSync(`${ROOT}${FILE}`, 'utf8') !== text) {
  console.error(`${FILE} is out of date. Run: npm run page`);
  process.exitCode = 1;
}
