import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseApiKeys } from '../../../src/domain/api-key.ts';
import {
  MAX_API_KEYS_FILE_BYTES,
  parseApiKeysFile,
  readApiKeysFile,
} from '../../../src/services/keys/file.ts';

const entry = (name: string, digit: string) => `${name}:train:${digit.repeat(64)}`;

test('a file of the largest size is read, and a larger one or a folder is not', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'atelier-keys-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'keys');
  await writeFile(file, '#'.repeat(1_048_576));
  assert.equal((await readApiKeysFile(file)).length, MAX_API_KEYS_FILE_BYTES);
  await writeFile(file, '#'.repeat(1_048_577));
  await assert.rejects(readApiKeysFile(file), {
    code: 'invalid-configuration',
    message: `API_KEYS_FILE=${file} cannot be read: it has 1048577 bytes, but at most 1048576 are allowed.`,
  });
  await assert.rejects(readApiKeysFile(folder), {
    message: `API_KEYS_FILE=${folder} cannot be read: it is not a file.`,
  });
});

test('the file may be empty if API_KEYS has keys, which it must not repeat', () => {
  const configured = parseApiKeys(entry('a', '1'));
  assert.deepEqual(parseApiKeysFile('keys', '# none', configured), []);
  assert.deepEqual(
    parseApiKeysFile('keys', `${entry('b', '2')}\n`, configured).map(({ name }) => name),
    ['b'],
  );
  assert.throws(() => parseApiKeysFile('keys', entry('a', '2'), configured), {
    code: 'invalid-configuration',
    message: 'API_KEYS_FILE=keys is invalid: line 1 has the same name as an earlier key.',
  });
  assert.throws(() => parseApiKeysFile('keys', '', []), {
    message: 'API_KEYS_FILE=keys contains no key. Add an entry; npx atelier key makes one.',
  });
});
