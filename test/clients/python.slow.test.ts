/** The Python client and its notebooks: built as a wheel, installed and used. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { buildWheel } from '../../scripts/release/clients.ts';
import { ROOT, readBlocks } from '../docs/pages.ts';
import { matches } from '../docs/run-page.ts';
import { DATA_DIR } from '../support/data-directory.ts';
import { seeded } from '../support/seeded.ts';
import { serviceAddress, startProcess } from '../support/start-process.ts';
import { temporaryDirectory } from '../support/start-service.ts';
import { cutStream, inFlight, loseResponse, respond, startFaultyProxy } from './faulty-proxy.ts';

const file = { after };
const SYSTEM_PYTHON = '/usr/bin/python3';
const PAGES = ['clients/python/README.md', 'docs/guides/clients.md'];
const OFFLINE = ['--no-index', '--no-deps', '--no-cache-dir', '--quiet'];
/** What a notebook shows is stored in it, and must remain small. */
const MAX_NOTEBOOK_BYTES = 30_000;

const folder = await temporaryDirectory(file);
const python = join(folder, 'venv/bin/python');
const base = await serviceAddress(startProcess(file, join(folder, 'state'), { DATA_DIR }));

async function run(command: string, args: readonly string[], environment = {}): Promise<string> {
  const env = { PATH: process.env['PATH'], ATELIER_URL: base, PYTHONDONTWRITEBYTECODE: '1', ...environment };
  return promisify(execFile)(command, [...args], { cwd: ROOT, env, maxBuffer: 1e8 }).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => assert.fail(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`),
  );
}

const pip = (...args: string[]) => run(SYSTEM_PYTHON, ['-m', 'pip', ...args]);

before(async () => {
  // Building writes next to the sources.
  const source = join(folder, 'source');
  await cp(join(ROOT, 'clients/python'), source, { recursive: true });
  buildWheel(source, folder, '0');
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'))!;
  // NumPy and Pillow are Debian's.
  await run(SYSTEM_PYTHON, ['-m', 'venv', '--without-pip', '--system-site-packages', join(folder, 'venv')]);
  await pip('--python', python, 'install', ...OFFLINE, join(folder, wheel));
  // Without it, the notebooks would run in Debian's Python.
  await run(python, ['-m', 'ipykernel', 'install', '--sys-prefix']);
});

test('the installed client trains, follows, predicts, uploads, checks gradients and preprocesses', async (t) => {
  const draw = seeded(t);
  const faults = {
    'POST /v1/training-jobs': [loseResponse, inFlight, respond(503, { 'retry-after': '0' })],
    '/events': [cutStream, respond(502)],
  };
  await run(python, ['test/clients/children/python_client_test.py'], {
    ATELIER_FAULTY_URL: await startFaultyProxy(t, base, faults),
    IMAGE_SEED: String(Math.floor(draw() * 2 ** 31)),
    TEST_IMAGES: join(DATA_DIR, 'fashion_mnist_test_images.npy'),
  });
  assert.deepEqual(Object.values(faults).flat(), [], 'every fault has occurred');
});

for (const page of PAGES) {
  test(`the examples of ${page} print what the page shows`, async () => {
    const blocks = readBlocks(page);
    const examples = blocks.filter(({ text }) => text.includes('import atelier'));
    assert.ok(examples.length > 0);
    for (const example of examples) {
      const { text } = blocks[blocks.indexOf(example) + 1]!;
      const printed = await run(python, ['-c', example.text.replace('http://localhost:3000', base)]);
      assert.ok(matches(printed, text), `${page}:${example.line} prints\n${printed}`);
    }
  });
}

for (const name of ['first-model', 'homework', 'own-images']) {
  test(`the notebook ${name} shows what is stored in it`, async () => {
    const notebook = `examples/notebooks/${name}.ipynb`;
    const { stored, shown } = JSON.parse(
      await run(python, ['test/clients/children/execute_notebook.py', notebook]),
    );
    assert.deepEqual(shown, stored);
    assert.ok((await stat(join(ROOT, notebook))).size < MAX_NOTEBOOK_BYTES);
  });
}

test('its types are right, and it uses nothing that Python 3.9 does not have', async () => {
  const options = ['--cache-dir', join(folder, 'mypy'), '--config-file', 'clients/python/pyproject.toml'];
  await run('mypy', [...options, 'clients/python/atelier']);
});
