/** The next release: a copy of the source with one more migration. */
import assert from 'node:assert/strict';
import { appendFile, cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Scope, temporaryDirectory } from './start-service.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Only adds, as migrations must while processes of both releases use a database. */
const ADDITION = `
  await db.schema.createTable('of_the_next_release').addColumn('id', 'text').execute();
  await db.schema.alterTable('jobs').addColumn('of_the_next_release', 'text').execute();`;

/** A custom section of WebAssembly: another digest, and the same instructions. */
const CUSTOM_SECTION = Buffer.from([0, 5, 4, ...Buffer.from('next')]);

/**
 * @param options.migration statements of the migration `0007-next`
 * @returns the directory of the source
 */
export async function nextRelease(
  t: Scope,
  { migration = ADDITION, hasNewKernel = false }: { migration?: string; hasNewKernel?: boolean } = {},
): Promise<string> {
  const directory = await temporaryDirectory(t);
  for (const each of ['src', 'package.json']) {
    await cp(join(ROOT, each), join(directory, each), { recursive: true });
  }
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  const source = join(directory, 'src');
  const migrations = join(source, 'store/migrations');
  await writeFile(
    join(migrations, '0007-next.ts'),
    `import { sql } from 'kysely';\nexport async function up(db) {${migration}\n}\n`,
  );
  const list = join(migrations, 'all.ts');
  const known = await readFile(list, 'utf8');
  const extended = known.replace(/\n};\n$/, "\n  '0007-next': next,\n};\n");
  assert.notEqual(extended, known);
  await writeFile(list, `import * as next from './0007-next.ts';\n${extended}`);
  if (hasNewKernel) await appendFile(join(source, 'numerics/simd/kernel.wasm'), CUSTOM_SECTION);
  return source;
}
