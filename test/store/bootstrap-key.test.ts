import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { type ApiKey, sha256Bytes } from '../../src/domain/api-key.ts';
import { bootstrapKeyFile, readBootstrapKey, saveBootstrapKey } from '../../src/store/bootstrap-key.ts';
import { failure, openFiles, temporaryDirectory } from './fixtures.ts';

const key: ApiKey = { name: 'first', scopes: ['admin'], digest: sha256Bytes('atl_test') };

test('stores the key in a file readable by its owner only, replacing remains of a killed process', async (t) => {
  const directory = await temporaryDirectory(t);
  assert.equal(await readBootstrapKey(directory), undefined);
  await writeFile(`${bootstrapKeyFile(directory)}.tmp`, 'first:adm', { mode: 0o644 });
  assert.equal(await readBootstrapKey(directory), undefined);
  await saveBootstrapKey(directory, key);
  assert.deepEqual(await readBootstrapKey(directory), key);
  assert.equal((await stat(bootstrapKeyFile(directory))).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(directory), ['api-key']);
  assert.deepEqual(openFiles(directory), []);
  assert.ok(!(await readFile(bootstrapKeyFile(directory), 'utf8')).includes('atl_'));
});

test('rejects a damaged key file with advice, instead of running without keys', async (t) => {
  const directory = await temporaryDirectory(t);
  for (const content of ['', 'first:admin:\n', '\0'.repeat(80)]) {
    await writeFile(bootstrapKeyFile(directory), content);
    await assert.rejects(
      readBootstrapKey(directory),
      failure(
        'state-unusable',
        bootstrapKeyFile(directory),
        'Delete the file; the next start generates a new key',
      ),
    );
  }
});

test('reports an unwritable directory', async (t) => {
  const missing = `${await temporaryDirectory(t)}/missing`;
  await assert.rejects(
    saveBootstrapKey(missing, key),
    failure('state-unusable', bootstrapKeyFile(missing), 'ENOENT'),
  );
});
