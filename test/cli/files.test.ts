import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from '../../cli/errors.ts';
import { openFile, readText } from '../../cli/files.ts';
import { parseJson } from '../../cli/json-file.ts';
import { temporaryDirectory } from '../support/start-service.ts';

test('reads and opens files, and names one that cannot be used', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'a.json');
  await writeFile(path, '{"a":1}');
  assert.equal(await readText(path), '{"a":1}');
  assert.equal(await (await openFile(path)).text(), '{"a":1}');
  assert.deepEqual(parseJson(path, '{"a":1}'), { a: 1 });
  assert.throws(() => parseJson('a.json', '{'), {
    constructor: UsageError,
    message: /^a\.json is not JSON: /,
  });
  const missing = join(directory, 'b');
  const unknown = { constructor: UsageError, message: `The file ${missing} does not exist.` };
  await assert.rejects(readText(missing), unknown);
  await assert.rejects(openFile(missing), unknown);
  const folder = join(directory, 'c');
  await mkdir(folder);
  await assert.rejects(openFile(folder), { message: `${folder} is not a file.` });
  await assert.rejects(readText(folder), {
    message: new RegExp(`^The file ${folder} cannot be read: EISDIR`),
  });
});
