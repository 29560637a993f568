/** Files of the package: those that a service and the command line read, in the folders of the sources. */
import { copyFile, glob, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packageDescription } from './description.ts';
import { replaceEndings, toJavaScript } from './strip.ts';

const ROOT = join(import.meta.dirname, '../..');

const INCLUDED = [
  'cli/**',
  'src/**',
  'openapi/**',
  'examples/recipes/**',
  'scripts/{data,key}.ts',
  'scripts/data/**',
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
];
/** Declarations, and the sources of the kernel, which is compiled. */
const EXCLUDED = ['**/*.d.ts', 'src/numerics/simd/assembly/**', 'src/numerics/simd/asconfig.json'];

const readText = (name: string) => readFile(join(ROOT, name), 'utf8');

/** Fills an empty folder. @returns the version */
export async function writeContents(folder: string): Promise<string> {
  for await (const name of glob(INCLUDED, { cwd: ROOT, exclude: EXCLUDED })) {
    if ((await stat(join(ROOT, name))).isFile()) await writeOne(name, folder);
  }
  const description = packageDescription(JSON.parse(await readText('package.json')));
  await writeFile(join(folder, 'package.json'), JSON.stringify(description, null, 2));
  return description.version;
}

async function writeOne(name: string, folder: string): Promise<void> {
  const target = join(folder, name);
  await mkdir(dirname(target), { recursive: true });
  if (name.endsWith('.ts')) {
    await writeFile(target.replace(/\.ts$/, '.js'), toJavaScript(await readText(name)));
    return;
  }
  // Keeps the permission to execute it.
  await copyFile(join(ROOT, name), target);
  if (name === 'cli/atelier') await writeFile(target, replaceEndings(await readText(name)));
}
