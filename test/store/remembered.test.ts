import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { remember } from '../../src/store/remembered.ts';
import { temporaryDirectory } from './fixtures.ts';

async function open(t: TestContext) {
  const stateDir = join(await temporaryDirectory(t), 'state');
  const path = join(stateDir, 'speed.json');
  const warnings: string[] = [];
  let computed = 0;
  const start = (basis: unknown = { cores: 2 }, keeps?: (value: number) => boolean) =>
    remember({
      stateDir,
      file: 'speed.json',
      basis,
      schema: z.number(),
      compute: async () => ++computed,
      ...(keeps && { keeps }),
      log: { warn: (_fields: object, message?: string) => void warnings.push(String(message)) },
    });
  return { stateDir, path, warnings, start };
}

test('a value is computed once, and again after a change of what it depends on', async (t) => {
  const { stateDir, path, warnings, start } = await open(t);
  assert.deepEqual([await start(), await start()], [1, 1]);
  assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), { basis: { cores: 2 }, value: 1 });
  assert.deepEqual([await start({ cores: 4 }), await start({ cores: 4 }), await start()], [2, 2, 3]);
  assert.deepEqual(await readdir(stateDir), ['speed.json']);
  assert.deepEqual(warnings, []);
});

test('a damaged file does not matter', async (t) => {
  const { path, start } = await open(t);
  await start();
  for (const [n, text] of ['', '{"basis":{"cores":2}', '{"basis":{"cores":2},"value":"fast"}'].entries()) {
    await writeFile(path, text);
    assert.equal(await start(), n + 2);
    assert.equal(await start(), n + 2);
  }
});

test('a value that the next start should not take is not stored', async (t) => {
  const { stateDir, start } = await open(t);
  const isLarge = (value: number) => value > 1;
  assert.equal(await start(undefined, isLarge), 1);
  await assert.rejects(readdir(stateDir), { code: 'ENOENT' });
  assert.deepEqual([await start(undefined, isLarge), await start(undefined, isLarge)], [2, 2]);
});

test('a value that cannot be stored is used, with a warning', async (t) => {
  const { path, warnings, start } = await open(t);
  await mkdir(join(path, 'in the way'), { recursive: true });
  assert.deepEqual([await start(), await start()], [1, 2]);
  const warning = 'speed.json could not be stored, so the next start computes it again';
  assert.deepEqual(warnings, [warning, warning]);
});
