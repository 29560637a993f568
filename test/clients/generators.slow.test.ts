/** Generated clients: each is compiled strictly and used against the service. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { startService } from '../support/start-service.ts';

const FOLDER = join(import.meta.dirname, '../generators');
const DOCUMENT = '../../openapi/openapi.json';

/** Output folders are those that the programs import. */
const GENERATORS = [
  ['openapi-typescript', DOCUMENT, '-o', 'generated/openapi-typescript.ts', '--default-non-nullable=false'],
  ['openapi-ts', '-i', DOCUMENT, '-o', 'generated/hey-api'],
  ['orval', '--config', 'orval.config.mjs', '--fail-on-warnings'],
  [
    'swagger-typescript-api',
    'generate',
    '-p',
    DOCUMENT,
    '-o',
    'generated/swagger-typescript-api',
    '-n',
    'api.ts',
  ],
  ['oazapfts', DOCUMENT, 'generated/oazapfts.ts'],
] as const;

const PROGRAMS = ['openapi-fetch', 'hey-api', 'orval', 'swagger-typescript-api', 'oazapfts'];

/** Rejects with the whole output, because compilers and linters report to stdout. */
async function run(command: string, args: readonly string[], environment = {}): Promise<string> {
  const env = { ...process.env, ...environment, DO_NOT_TRACK: '1' };
  try {
    return (await promisify(execFile)(command, [...args], { cwd: FOLDER, env, maxBuffer: 1e8 })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout.slice(0, 10_000)}\n${stderr.slice(0, 10_000)}`);
  }
}

const runBinary = (name: string, ...args: string[]) =>
  run(process.execPath, [join('node_modules/.bin', name), ...args]);

const modifiedAt = async (path: string) => (await stat(join(FOLDER, path))).mtimeMs;

async function isInstalled(): Promise<boolean> {
  try {
    const lockFile = await modifiedAt('package-lock.json');
    return (await modifiedAt('node_modules/.package-lock.json')) >= lockFile;
  } catch {
    return false;
  }
}

before(async () => {
  // The engines of some packages exclude the Node that runs npm, but not the one that runs them here.
  if (!(await isInstalled())) {
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  await rm(join(FOLDER, 'generated'), { recursive: true, force: true });
});

for (const [generator, ...args] of GENERATORS) {
  test(`${generator} accepts the document`, async () => {
    await runBinary(generator, ...args);
  });
}

test('the generated clients and programs that use them compile strictly', async () => {
  // The generator excludes its own output from type checks.
  const api = join(FOLDER, 'generated/swagger-typescript-api/api.ts');
  await writeFile(api, (await readFile(api, 'utf8')).replace('// @ts-nocheck', ''));
  await runBinary('tsc', '-p', '.');
});

test('each client trains a model, polls the job, and predicts', async () => {
  const { app } = await startService({ after });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const image = Array.from({ length: 784 }, () => 0);
  for (const program of PROGRAMS) {
    const script = join('generated/compiled/programs', `${program}.js`);
    const output = await run(process.execPath, [script, url], { ATELIER_URL: url });
    const predicted = await app.inject({
      method: 'POST',
      url: '/v1/models/fashion-mnist/predictions',
      payload: { image },
    });
    assert.equal(output.trim(), predicted.json().predictions[0].className, program);
  }
});

test('Spectral finds no error and no warning', async () => {
  const output = await runBinary('spectral', 'lint', '-r', 'spectral.yaml', '--fail-severity=hint', DOCUMENT);
  assert.match(output, /No results with a severity of 'hint' or higher found!/);
});
