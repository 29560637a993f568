/** The Node client: packed, installed into an empty folder, used against the service. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { packNodeClient } from '../../scripts/release/clients.ts';
import { ROOT, readBlocks } from '../docs/pages.ts';
import { matches } from '../docs/run-page.ts';
import { DATA_DIR } from '../support/data-directory.ts';
import { serviceAddress, startProcess } from '../support/start-process.ts';
import { temporaryDirectory } from '../support/start-service.ts';
import { cutStream, inFlight, loseResponse, respond, startFaultyProxy } from './faulty-proxy.ts';

const file = { after };
const SOURCE = join(ROOT, 'clients/node');
const PAGES = ['clients/node/README.md', 'docs/guides/clients.md'];
const QUIET = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];

const folder = await temporaryDirectory(file);
const consumer = join(folder, 'consumer');
const base = await serviceAddress(startProcess(file, join(folder, 'state'), { DATA_DIR }));

async function run(command: string, args: readonly string[], cwd: string, environment = {}): Promise<string> {
  const env = { ...process.env, ATELIER_URL: base, ...environment };
  return promisify(execFile)(command, [...args], { cwd, env, maxBuffer: 1e8 }).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => assert.fail(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`),
  );
}

/** Runs a program in the folder into which the package is installed, as Node runs TypeScript. */
async function runProgram(name: string, text: string, environment = {}): Promise<string> {
  await writeFile(join(consumer, name), text);
  return run(process.execPath, [name], consumer, environment);
}

before(async () => {
  // Packing writes next to the sources, and reads the contract.
  const source = join(folder, 'clients/node');
  await cp(SOURCE, source, { recursive: true, filter: (path) => !path.includes('node_modules') });
  await cp(join(ROOT, 'openapi/openapi.json'), join(folder, 'openapi/openapi.json'));
  packNodeClient(source, folder);
  await mkdir(consumer);
  await writeFile(join(consumer, 'package.json'), '{ "type": "module" }');
  const packed = (await readdir(folder)).find((name) => name.endsWith('.tgz'))!;
  await run('npm', ['install', ...QUIET, '--prefer-offline', join(folder, packed)], consumer);
});

test('creates one job and follows it over lost responses, errors and a cut stream', async (t) => {
  const faults = {
    'POST /v1/training-jobs': [loseResponse, inFlight, respond(503, { 'retry-after': '0' })],
    '/events': [cutStream, respond(502)],
  };
  const program = `
    import { Client } from 'atelier-client';
    const client = new Client();
    const { id } = await client.train({ dataset: 'fashion-mnist', training: { epochs: 1 } }, { wait: false });
    const ids: number[] = [];
    const job = await client.follow(id, (event) => ids.push(event.id));
    const jobs = await client.api.GET('/v1/training-jobs');
    console.log(job.status, jobs.data?.data.length, ids.every((id, index) => id === index + 1));
  `;
  const url = await startFaultyProxy(t, base, faults);
  assert.equal(await runProgram('follow.ts', program, { ATELIER_URL: url }), 'succeeded 1 true\n');
  assert.deepEqual(Object.values(faults).flat(), [], 'every fault has occurred');
});

test('uploads a folder, trains on it, and predicts files, bytes and numbers', async () => {
  for (const [name, background] of [
    ['dark', '#333'],
    ['light', '#ccc'],
  ] as const) {
    await mkdir(join(consumer, 'shades', name), { recursive: true });
    for (let n = 0; n < 10; n++) {
      const image = sharp({ create: { width: 30 + n, height: 40, channels: 3, background } });
      await image.png().toFile(join(consumer, 'shades', name, `${n}.png`));
    }
  }
  const program = `
    import { readFile } from 'node:fs/promises';
    import { Client } from 'atelier-client';
    const client = new Client();
    const { id, classNames } = await client.upload('shades', { name: 'Shades', testFraction: '0.2', invert: 'never' });
    const training = { epochs: 50, batchSize: 4, validation: null };
    const job = await client.train({ dataset: id, modelName: 'shades', training });
    const images = ['shades/dark/3.png', await readFile('shades/light/3.png')];
    const encoded = await client.predict('shades@1', images);
    const numbers = await client.predict('shades', [new Array(1024).fill(0x33)], { topK: 1 });
    console.log(classNames, job.model?.name, [...encoded, ...numbers].map(({ className }) => className));
  `;
  assert.equal(
    await runProgram('upload.ts', program),
    "[ 'dark', 'light' ] shades [ 'dark', 'light', 'dark' ]\n",
  );
});

test('calibrates a version, predicts with a coverage, and compares a gradient', async () => {
  const program = `
    import { Client } from 'atelier-client';
    const client = new Client();
    const dataset = 'fashion-mnist';
    await client.train({ dataset, modelName: 'calibrated', training: { epochs: 1 } });
    const calibration = await client.calibrate('calibrated', { split: 'train' });
    const again = await client.calibrate('calibrated@1', { dataset, split: 'train' });
    console.log(calibration.split, calibration.reused, again.digest === calibration.digest);
    const query = { coverage: 0.6, calibrated: 'true' } as const;
    const [grey] = await client.predict('calibrated', [new Array(784).fill(0x33)], query);
    console.log(grey?.unsure, grey?.unsureBecause);
    const request = { dataset, network: { hidden: [3] }, examples: 3 };
    const { data } = await client.api.POST('/v1/gradient-checks', {
      body: request,
      headers: { accept: 'application/x-npy' },
      parseAs: 'arrayBuffer',
    });
    const { submitted } = await client.checkGradient(request, new Uint8Array(data!));
    console.log(submitted?.agrees, submitted?.relativeError);
  `;
  assert.equal(
    await runProgram('calibrate.ts', program),
    'train true true\ntrue unlike-training-images\ntrue 0\n',
  );
});

test('throws the text of the problem with the places, and what became of a job', async () => {
  const program = `
    import { Client, JobFailed, ServiceError, send, Unreachable } from 'atelier-client';
    const client = new Client();
    const dataset = 'fashion-mnist';
    const wrong = { dataset, training: { batchSize: 0 } };
    const error = await client.train(wrong).catch((thrown) => thrown);
    console.log(error instanceof ServiceError, error.status, error.problem.code, String(error));
    const { id } = await client.train({ dataset, training: { epochs: 10_000 } }, { wait: false });
    await send(() => client.api.POST('/v1/training-jobs/{id}/cancel', { params: { path: { id } } }));
    const failure = await client.follow(id).catch((thrown) => thrown);
    console.log(failure instanceof JobFailed, failure.message.replace(id, 'X'));
    const absent = await new Client({ url: 'localhost:47111' }).predict('x', [[]]).catch((thrown) => thrown);
    console.log(absent instanceof Unreachable, absent.message);
  `;
  const printed = await runProgram('errors.ts', program);
  assert.match(printed, /^true 400 invalid-request ServiceError: .*\n {2}#\/training\/batchSize: .*1/);
  assert.match(
    printed,
    /\ntrue The job X is cancelled\.\ntrue The service cannot be reached: ECONNREFUSED\.\n$/,
  );
});

for (const page of PAGES) {
  test(`the examples of ${page} print what the page shows`, async () => {
    const blocks = readBlocks(page);
    const examples = blocks.filter(({ text }) => text.includes("from 'atelier-client'"));
    assert.ok(examples.length > 0);
    for (const example of examples) {
      const { text } = blocks[blocks.indexOf(example) + 1]!;
      const program = example.text.replace('http://localhost:3000', base);
      const printed = await runProgram(`${example.line}.ts`, program);
      assert.ok(matches(printed, text), `${page}:${example.line} prints\n${printed}`);
    }
  });
}

test('its types accept all these programs', async () => {
  const options = { strict: true, module: 'nodenext', target: 'es2023', noEmit: true, types: ['node'] };
  const typeRoots = [join(folder, 'clients/node/node_modules/@types')];
  await writeFile(
    join(consumer, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...options, typeRoots } }),
  );
  await run(process.execPath, [join(folder, 'clients/node/node_modules/.bin/tsc')], consumer);
});
